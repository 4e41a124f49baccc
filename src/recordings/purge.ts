import type { ContactCenter } from '../access/contact-center.ts';
import { addRemoved, NOTHING_REMOVED, type Removed, removeLeftovers } from './leftovers.ts';
import { type Due, dueBatches, type Leftover, type LettingDeps, type Pace } from './letting.ts';
import type { Recording } from './recording.ts';
import { isPastRetention, retentionEndedFor } from './retention.ts';

/** How long somebody may take to send audio for a recording that was announced, in milliseconds. */
export const PENDING_LIFE = 86_400_000;

/** Whether a recording is to be purged: one whose audio may still come in is given its time. */
export function isToGo(contactCenter: ContactCenter, recording: Recording, now: number): boolean {
  if (recording.state === 'purged') return false;
  if (recording.state === 'pending' && recording.createdAt > now - PENDING_LIFE) return false;
  return isPastRetention(contactCenter, recording, now);
}

/** What a purge would let go. */
export interface PurgePlan {
  /** Those that say themselves until when they are kept. */
  readonly ownEnd: number;
  /** Those for which the contact center's retention is over. */
  readonly retention: number;
  readonly bytes: number;
  /** Recordings under legal hold, whatever their age. */
  readonly held: number;
}

const runs = (contactCenter: ContactCenter, now: number): readonly (readonly [Due, number])[] => [
  ['own-end', now],
  ['retention', retentionEndedFor(contactCenter, now)],
];

/** Works out what `purge` would do now, and changes nothing. */
export async function planPurge(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pick<Pace, 'batch' | 'pause' | 'signal'>,
): Promise<PurgePlan> {
  const now = deps.now();
  const counts = { 'own-end': 0, retention: 0 };
  let bytes = 0;
  for (const [due, until] of runs(contactCenter, now)) {
    for await (const batch of dueBatches(deps, contactCenter, due, until, pace)) {
      const going = batch.filter((recording) => isToGo(contactCenter, recording, now));
      counts[due === 'own-end' ? due : 'retention'] += going.length;
      for (const { media } of going) bytes += media?.bytes ?? 0;
    }
  }
  const held = await deps.store.countHeld(contactCenter);
  return { ownEnd: counts['own-end'], retention: counts.retention, bytes, held };
}

/** What a purge did. */
export interface Purged extends Omit<Removed, 'removed'> {
  readonly purged: number;
  readonly bytes: number;
}

/**
 * Lets go of every recording that is past its retention and not under legal hold. Each becomes a tombstone
 * first, and its audio is removed after that: a crash in between leaves audio that the next purge removes,
 * and never a recording without its audio.
 */
export async function purge(deps: LettingDeps, contactCenter: ContactCenter, pace: Pace): Promise<Purged> {
  const now = deps.now();
  let [purged, bytes] = [0, 0];
  let removed = NOTHING_REMOVED;
  for (const [due, until] of runs(contactCenter, now)) {
    for await (const batch of dueBatches(deps, contactCenter, due, until, pace)) {
      const gone: Leftover[] = [];
      const purgeOne = async ({ number, media }: Recording) => {
        const leftover = await deps.store.purgeIf(
          contactCenter,
          number,
          (current, recording) => isToGo(current, recording, now),
          {
            at: deps.now(),
            actor: pace.actor,
            action: 'recording.purged',
            subject: String(number),
            outcome: 'done',
            details: { reason: due, bytes: media?.bytes ?? null },
          },
        );
        if (leftover === null) return;
        gone.push(leftover);
        bytes += media?.bytes ?? 0;
      };
      // The audio of those that are tombstones goes, whatever befell the others.
      const settled = await Promise.allSettled(batch.map(purgeOne));
      purged += gone.length;
      removed = addRemoved(removed, await removeLeftovers(deps, contactCenter, gone));
      pace.onProgress(purged);
      for (const each of settled) if (each.status === 'rejected') throw each.reason;
    }
  }
  if (purged > 0) await deps.store.wipe();
  return { purged, bytes, left: removed.left, failure: removed.failure };
}

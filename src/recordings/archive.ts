import type { ContactCenter } from '../access/contact-center.ts';
import { addRemoved, archiveMissing, NOTHING_REMOVED, type Removed } from './leftovers.ts';
import { dueBatches, type LettingDeps, type Pace } from './letting.ts';
import { type MoveOutcome, moveRecording } from './move.ts';
import type { Recording } from './recording.ts';
import { archivedFrom, isPastRetention } from './retention.ts';

/** What an archiving would move. */
export interface ArchivePlan {
  readonly recordings: number;
  readonly bytes: number;
}

/** What an archiving did: recordings by what became of them. */
export interface Archived extends Readonly<Record<MoveOutcome, number>> {
  readonly bytes: number;
  readonly leftover: Removed;
}

/** Copies that are made at once. */
const AT_ONCE = 4;

/** What is to be let go soon need not be moved first. */
const isToMove = (contactCenter: ContactCenter, recording: Recording, now: number) =>
  !isPastRetention(contactCenter, recording, now);

/** Works out what `archive` would do now, and changes nothing. */
export async function planArchive(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pick<Pace, 'batch' | 'pause' | 'signal'>,
): Promise<ArchivePlan> {
  const now = deps.now();
  const until = archivedFrom(contactCenter, now);
  let [recordings, bytes] = [0, 0];
  if (until === null) return { recordings, bytes };
  for await (const batch of dueBatches(deps, contactCenter, 'archive', until, pace)) {
    for (const recording of batch.filter((each) => isToMove(contactCenter, each, now))) {
      recordings += 1;
      bytes += recording.media?.bytes ?? 0;
    }
  }
  return { recordings, bytes };
}

/**
 * Moves audio that has lain in the main tier for as long as the contact center's setting says to the archive
 * tier. @throws Failure precondition where there is no archive tier; unavailable as the places
 */
export async function archive(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pace,
): Promise<Archived> {
  const now = deps.now();
  const until = archivedFrom(contactCenter, now);
  const counts: Record<MoveOutcome, number> = { moved: 0, changed: 0, lost: 0, damaged: 0 };
  let bytes = 0;
  let leftover = NOTHING_REMOVED;
  if (until === null) return { ...counts, bytes, leftover };
  if (deps.places.archive === null) throw archiveMissing();
  const moveOne = async (recording: Recording) => {
    const moved = await moveRecording(deps, contactCenter, recording, 'archive', pace.actor);
    counts[moved.outcome] += 1;
    leftover = addRemoved(leftover, moved.leftover);
    if (moved.outcome === 'moved') bytes += recording.media?.bytes ?? 0;
  };
  for await (const batch of dueBatches(deps, contactCenter, 'archive', until, pace)) {
    const moving = batch.filter((recording) => isToMove(contactCenter, recording, now));
    for (let at = 0; at < moving.length && !pace.signal.aborted; at += AT_ONCE) {
      // All of them come to their end before a failure is told: none is left half done.
      const settled = await Promise.allSettled(moving.slice(at, at + AT_ONCE).map(moveOne));
      for (const each of settled) if (each.status === 'rejected') throw each.reason;
      pace.onProgress(counts.moved);
    }
  }
  return { ...counts, bytes, leftover };
}

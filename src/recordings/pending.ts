import type { Actor } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import { copyOf, dueBatches, type LettingDeps, type Pace } from './letting.ts';
import { begunAt } from './move.ts';
import type { Discarded } from './ports.ts';
import { PENDING_LIFE } from './purge.ts';
import type { Recording } from './recording.ts';

/** Drops a recording whose audio never came, with what may have come of it. */
export async function dropPending(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  recording: Recording,
  actor: Actor,
): Promise<Discarded> {
  const { number, mediaId: id } = recording;
  const discarded = await deps.store.discard(contactCenter, recording, {
    at: deps.now(),
    actor,
    action: 'recording.dropped',
    subject: String(number),
    outcome: 'done',
    details: { reason: 'pending' },
  });
  // Without its row nobody can come to need this audio.
  if (discarded === 'dropped') await deps.places.main.remove({ contactCenterId: contactCenter.id, id });
  return discarded;
}

/**
 * Drops recordings whose audio did not come within PENDING_LIFE, nor was tried to be sent again since. Gives how
 * many.
 */
export async function dropGivenUp(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pace,
): Promise<number> {
  const until = deps.now() - PENDING_LIFE;
  let dropped = 0;
  for await (const batch of dueBatches(deps, contactCenter, 'given-up', until, pace)) {
    const given = batch.filter((recording) => begunAt(copyOf(recording)) <= until);
    const all = await Promise.all(
      given.map((recording) => dropPending(deps, contactCenter, recording, pace.actor)),
    );
    dropped += all.filter((discarded) => discarded === 'dropped').length;
  }
  return dropped;
}

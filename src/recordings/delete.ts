import type { Actor } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import { removeLeftovers } from './leftovers.ts';
import type { LettingDeps } from './letting.ts';
import type { RecordingStore } from './ports.ts';

/**
 * Lets one recording go at once: it becomes a tombstone, then its audio is removed. Audio that cannot be
 * removed now is left to the next purge, as are traces in the store that somebody reads. One that is let go already stays as it is.
 * @throws Failure not_found; conflict while it is under legal hold
 */
export type DeleteRecording = (contactCenter: ContactCenter, number: number, actor: Actor) => Promise<void>;

export function createDeleteRecording(
  recordings: Pick<RecordingStore, 'purge'>,
  letting: LettingDeps,
): DeleteRecording {
  return async (contactCenter, number, actor) => {
    await recordings.purge(contactCenter, number, {
      at: letting.now(),
      actor,
      action: 'recording.purged',
      subject: String(number),
      outcome: 'done',
      details: { reason: 'deleted' },
    });
    const leftovers = await letting.store.leftovers(contactCenter, number - 1, 1);
    const own = leftovers.filter((leftover) => leftover.number === number);
    await removeLeftovers(letting, contactCenter, own);
    await letting.store.wipe();
  };
}

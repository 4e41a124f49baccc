import type { Actor, AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import type { AuditStore } from '../access/ports.ts';
import { Failure } from '../errors.ts';
import { removeLeftovers } from './leftovers.ts';
import type { LettingDeps } from './letting.ts';
import type { RecordingStore } from './ports.ts';

/**
 * Lets one recording go at once: it becomes a tombstone, then its audio is removed. Audio that cannot be
 * removed now is left to the next purge, as are traces in the store that somebody reads. One that is let go already stays as it is.
 * @throws Failure not_found; conflict while it is under legal hold, of which the audit tells
 */
export type DeleteRecording = (contactCenter: ContactCenter, number: number, actor: Actor) => Promise<void>;

export function createDeleteRecording(
  recordings: Pick<RecordingStore, 'purge'>,
  letting: LettingDeps,
  audit: Pick<AuditStore, 'record'>,
): DeleteRecording {
  return async (contactCenter, number, actor) => {
    const event: AuditEvent = {
      at: letting.now(),
      actor,
      action: 'recording.purged',
      subject: String(number),
      outcome: 'done',
      details: { reason: 'deleted' },
    };
    try {
      await recordings.purge(contactCenter, number, event);
    } catch (error) {
      if (error instanceof Failure && error.kind === 'conflict') {
        audit.record(contactCenter, { ...event, outcome: 'refused', details: { reason: 'legal hold' } });
      }
      throw error;
    }
    const leftovers = await letting.store.leftovers(contactCenter, number - 1, 1);
    const own = leftovers.filter((leftover) => leftover.number === number);
    await removeLeftovers(letting, contactCenter, own);
    await letting.store.wipe();
  };
}

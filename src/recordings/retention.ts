import { type ContactCenter, settingOf } from '../access/contact-center.ts';
import type { Recording } from './recording.ts';
import { ARCHIVE_AFTER_DAYS, RETENTION_DAYS } from './settings.ts';

const DAY = 86_400_000;

/**
 * How long a recording that was let go keeps its idempotency key, and hashes of what it was used for, in
 * milliseconds. For ever would be too long: who knows most of what was said of a call can try the rest.
 */
export const KEY_LIFE = 30 * DAY;

/** What of a recording bears on how long it is kept. */
export type Kept = Pick<Recording, 'startedAt' | 'keepUntil' | 'legalHold'>;

/**
 * When a recording is to be let go, in milliseconds since 1970 UTC: what the recording itself says, else the
 * contact center's retention, counted from the start of the call. Null while it is under legal hold.
 */
export function letGoAt(contactCenter: ContactCenter, recording: Kept): number | null {
  if (recording.legalHold) return null;
  return recording.keepUntil ?? recording.startedAt + settingOf(contactCenter, RETENTION_DAYS) * DAY;
}

/** Whether a recording is to be let go now: no link plays it any more, and the next purge takes it. */
export function isPastRetention(contactCenter: ContactCenter, recording: Kept, now: number): boolean {
  const at = letGoAt(contactCenter, recording);
  return at !== null && at <= now;
}

/** The last start of a call whose recording the contact center's retention lets go by now. */
export function retentionEndedFor(contactCenter: ContactCenter, now: number): number {
  return now - settingOf(contactCenter, RETENTION_DAYS) * DAY;
}

/** The last start of a call whose audio belongs in the archive tier by now; null where none does. */
export function archivedFrom(contactCenter: ContactCenter, now: number): number | null {
  const days = settingOf(contactCenter, ARCHIVE_AFTER_DAYS);
  return days === 'off' ? null : now - days * DAY;
}

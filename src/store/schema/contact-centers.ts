import type { Generated } from 'kysely';

/** One row a contact center. */
export interface ContactCentersTable {
  contact_center_id: number;
  name: string;
  timezone: string;
  /** JSON object of the settings that were set. */
  settings: string;
  /** A random text, made anew where the contact center's rows are put in by a restore or a copy. */
  epoch: Generated<string>;
  /** Grows with each writing transaction of the contact center. */
  revision: number;
  /** The own number of the next new user. */
  next_number: number;
  /** What the next recording and the next audit event are numbered. */
  next_recording_number: Generated<number>;
  next_audit_number: Generated<number>;
  /** Grows with each change of a recording. */
  recordings_revision: Generated<number>;
  created_at: number;
}

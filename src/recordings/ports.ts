import type { AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import type { SigningKey } from './links.ts';
import type { RecordingPage, RecordingQuery } from './query.ts';
import type { MediaFacts, NewRecording, Recording } from './recording.ts';

/** How a retried request is known (the Idempotency-Key header, as Stripe defines it). */
export interface Idempotency {
  readonly key: string;
  /** SHA-256 of what was said of the recording: the same key with another request is a conflict. */
  readonly fingerprint: string;
}

/** What may be changed of a recording that is not purged. */
export interface RecordingChange {
  readonly legalHold?: boolean;
  readonly keepUntil?: number | null;
  /** Ends every link that was given out. */
  readonly revoke?: true;
  /** The audio now lies in the other tier. */
  readonly state?: 'stored' | 'archived';
}

/** Where recordings are kept. Each method is one transaction, and writes its audit event in it. */
export interface RecordingStore {
  page(contactCenter: ContactCenter, query: RecordingQuery): Promise<RecordingPage>;
  find(contactCenter: ContactCenter, number: number): Promise<Recording | null>;
  /**
   * Takes the next number for a new recording: a pending row. With an idempotency key that was used before,
   * the recording made then, whatever its state. @throws Failure conflict where the fingerprint differs
   */
  reserve(
    contactCenter: ContactCenter,
    recording: NewRecording,
    made: { readonly id: string; readonly now: number },
    idempotency?: Idempotency,
  ): Promise<{ readonly recording: Recording; readonly isNew: boolean }>;
  /** Makes a pending recording stored. */
  complete(
    contactCenter: ContactCenter,
    number: number,
    facts: MediaFacts & { readonly seconds: number | null; readonly endedAt: number | null },
    event: AuditEvent,
  ): Promise<Recording>;
  /** Drops a pending row and its idempotency key; its number stays taken. */
  discard(contactCenter: ContactCenter, number: number): Promise<void>;
  /** @throws Failure not_found; conflict where it is purged */
  change(
    contactCenter: ContactCenter,
    number: number,
    change: RecordingChange,
    event: AuditEvent,
  ): Promise<Recording>;
  /**
   * Makes a recording a tombstone: user, lead, call and remote number gone, its file noted as left behind.
   * @throws Failure not_found; conflict while it is under legal hold. A purged one stays as it is.
   */
  purge(contactCenter: ContactCenter, number: number, now: number, event: AuditEvent): Promise<Recording>;
}

/** Where the keys that sign links are kept, for each contact center apart. */
export interface SigningKeys {
  /** The key that signs now, made where there is none yet. */
  current(contactCenter: ContactCenter, now: number): Promise<SigningKey>;
  /** The key of that id; null where there is none, or no link that it signed can still hold. */
  find(contactCenterId: number, keyId: string, now: number): Promise<SigningKey | null>;
  /**
   * Makes a new key, which signs from now on. Links that the old ones signed hold until they end; with
   * `endLinks` they end at once. Gives how many retired keys are still good for links.
   */
  rotate(
    contactCenter: ContactCenter,
    now: number,
    options: { readonly endLinks: boolean },
  ): Promise<{ readonly key: SigningKey; readonly retired: number }>;
}

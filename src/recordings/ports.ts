import type { AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import type { ReadLink, SigningKey } from './links.ts';
import type { LinkedRecording } from './playing.ts';
import type { RecordingPage, RecordingQuery } from './query.ts';
import type { ListedRecording, MediaFacts, NewRecording, Recording } from './recording.ts';

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
}

/** A pending recording as one attempt to take its audio in knows it: each attempt has a UUID of its own. */
export interface Attempt {
  readonly number: number;
  readonly mediaId: string;
}

/**
 * What came of dropping a pending row: `held` where it is under legal hold and stays, `theirs` where it is not
 * pending any more or another attempt came after.
 */
export type Discarded = 'dropped' | 'held' | 'theirs';

export interface Reserved {
  /** Pending: its audio is to be taken in under its `mediaId`. Otherwise the recording that was made before. */
  readonly recording: Recording;
  readonly isNew: boolean;
  /** The UUID of an attempt before this one, which can no longer complete; its audio may go. */
  readonly superseded: string | null;
  /** SHA-256 of the audio that came in with the idempotency key before; null where none did yet. */
  readonly sha256: string | null;
}

/** Where recordings are kept. Each change is kept whole or not at all, together with its audit event. */
export interface RecordingStore {
  page(contactCenter: ContactCenter, query: RecordingQuery): Promise<RecordingPage>;
  /** The same with less of each recording, for a fraction of the reading. */
  list(contactCenter: ContactCenter, query: RecordingQuery): Promise<RecordingPage<ListedRecording>>;
  /**
   * The instant from which a recording is past its retention and still to be let go; null where nothing ever
   * will be. Costs nothing while no recording changes.
   */
  firstEnd(contactCenter: ContactCenter): Promise<number | null>;
  find(contactCenter: ContactCenter, number: number): Promise<Recording | null>;
  /** The recording that an idempotency key was used for; null for none. @throws Failure conflict as `reserve` */
  findByKey(contactCenter: ContactCenter, idempotency: Idempotency): Promise<Recording | null>;
  /**
   * Takes the next number for a new recording: a pending row. With an idempotency key that was used before,
   * the recording made then; one that is still pending gets a new `mediaId`, so that two attempts never write
   * to the same place and only the last can complete.
   * @throws Failure conflict where the fingerprint differs; invalid where there is no such user
   */
  reserve(
    contactCenter: ContactCenter,
    recording: NewRecording,
    made: { readonly id: string; readonly now: number },
    idempotency?: Idempotency,
  ): Promise<Reserved>;
  /** Makes a pending recording stored. @throws Failure conflict where another attempt came after, or it is gone */
  complete(
    contactCenter: ContactCenter,
    attempt: Attempt,
    facts: MediaFacts & { readonly seconds: number | null; readonly endedAt: number | null },
    event: AuditEvent,
  ): Promise<Recording>;
  /**
   * Drops a pending row and its idempotency key, unless it is under legal hold; its number stays taken.
   * @param isOwnHold where the attempt made the row, and put it under hold by its own words: it may take both back
   */
  discard(
    contactCenter: ContactCenter,
    attempt: Attempt,
    event: AuditEvent,
    isOwnHold?: boolean,
  ): Promise<Discarded>;
  /**
   * Changes a recording; where it is so already, nothing is written and no event.
   * @param event told of the recording as it was before
   * @throws Failure not_found; conflict where it is purged
   */
  change(
    contactCenter: ContactCenter,
    number: number,
    change: RecordingChange,
    event: (before: Recording) => AuditEvent,
  ): Promise<Recording>;
  /**
   * Makes a recording a tombstone: all that told of the call is gone, its audio noted as left behind.
   * @throws Failure not_found; conflict while it is under legal hold. A purged one stays as it is.
   */
  purge(contactCenter: ContactCenter, number: number, event: AuditEvent): Promise<Recording>;
}

/** Where the keys that sign links are kept, for each contact center apart. */
export interface SigningKeys {
  /** The key that signs now, made where there is none yet. */
  current(contactCenter: ContactCenter, now: number): Promise<SigningKey>;
  find(contactCenterId: number, keyId: string): Promise<SigningKey | null>;
  /**
   * Makes a new key, which signs from now on. Links that the old ones signed hold until they end; with
   * `endLinks` they end at once. Gives how many retired keys are still good for links. The event is kept
   * with it.
   */
  rotate(
    contactCenter: ContactCenter,
    now: number,
    options: { readonly endLinks: boolean },
    event: AuditEvent,
  ): Promise<{ readonly key: SigningKey; readonly retired: number }>;
}

/** Finds what links claim to open. What was found is kept until anything is written. */
export interface LinkedRecordings {
  /** Null where there is no such contact center. */
  find(claim: Pick<ReadLink, 'contactCenterId' | 'number' | 'keyId'>): Promise<LinkedRecording | null>;
}

/** What one process alone does at a time, of all those over one store. */
export interface Lease {
  /**
   * Takes it where nobody holds it. Gives what says that it was lost, while this process holds it; null
   * where another one does. @throws Failure unavailable
   */
  take(): Promise<AbortSignal | null>;
  /** Lets another process take it. */
  release(): Promise<void>;
}

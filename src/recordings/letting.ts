import type { Actor, AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import type { MediaPlaces, Tier } from './media.ts';
import type { RecordingStore } from './ports.ts';
import type { Recording } from './recording.ts';

/**
 * Why something is due for a recording: its own end has come (`own-end`), the contact center's retention is
 * over (`retention`), its audio belongs in the archive (`archive`), nobody completed it (`pending`;
 * `given-up` where it is not under legal hold), or it was let go so long ago that its idempotency key is to be free
 * again (`key`). Recordings under legal hold are due for the archive alone, or pending; pending ones for all but the
 * archive.
 */
export type Due = 'own-end' | 'retention' | 'archive' | 'pending' | 'given-up' | 'key';

/** A place in the order in which recordings fall due. */
export interface DuePlace {
  readonly at: number;
  readonly number: number;
}

export interface DuePage {
  readonly recordings: readonly Recording[];
  /** Where the next page begins; null behind the last. */
  readonly next: DuePlace | null;
}

/** Audio in a tier, under a UUID that is given to no other audio, nor a second time. */
export interface Copy {
  readonly tier: Tier;
  readonly id: string;
}

/** A recording and what audio of it there may be beside its own. */
export interface Whereabouts {
  readonly recording: Recording;
  /** Audio that is no longer the recording's, and still to be removed. */
  readonly leftover: readonly Copy[];
  /** The copy that is being made, for the recording to move to. Its UUIDv7 tells when it was begun. */
  readonly move: Copy | null;
}

/** A recording some of whose audio is still to be removed. */
export interface Leftover {
  readonly number: number;
  readonly copies: readonly Copy[];
}

/**
 * What letting recordings go asks of the store. Audio becomes a recording's only while the row says that it
 * is being sent or copied, and never again once that is called off: so whatever the row has done with can be
 * removed at any time, by anybody, and no order of events and no crash leaves a row that promises lost audio.
 */
export interface LettingStore extends Pick<RecordingStore, 'discard'> {
  /** Recordings whose instant is `until` at the latest, in the order of it, behind `after`. */
  due(
    contactCenter: ContactCenter,
    due: Due,
    until: number,
    after: DuePlace | null,
    limit: number,
  ): Promise<DuePage>;
  /** How many recordings are under legal hold. */
  countHeld(contactCenter: ContactCenter): Promise<number>;
  /**
   * Makes a recording a tombstone if it is still to go as the contact center and the recording are now; null
   * if it is not. Gives the audio that is still to be removed.
   */
  purgeIf(
    contactCenter: ContactCenter,
    number: number,
    isToGo: (contactCenter: ContactCenter, recording: Recording) => boolean,
    event: AuditEvent,
  ): Promise<Leftover | null>;
  /** Lets go of a tombstone's idempotency key and what it was used for, once it has been kept for its time. */
  forgetKey(contactCenter: ContactCenter, number: number, now: number): Promise<void>;
  /**
   * Sees to it that what was let go can be read no more in what the store leaves behind beside its rows. False where
   * somebody still reads that: then it is to be tried again.
   */
  wipe(): Promise<boolean>;
  /** Notes the copy that a recording's audio is to move to. False where it does not move to that tier now. */
  beginMove(contactCenter: ContactCenter, number: number, copy: Copy): Promise<boolean>;
  /**
   * The copy is whole: it is the recording's audio now, and the former one left over. False where the move
   * was called off. `now` counts as the recording's age in the main tier from then on.
   */
  finishMove(
    contactCenter: ContactCenter,
    number: number,
    copy: Copy,
    now: number,
    event: AuditEvent,
  ): Promise<boolean>;
  /** The copy is left over. False where it is so already, or became the recording's audio. */
  callOffMove(contactCenter: ContactCenter, number: number, copy: Copy): Promise<boolean>;
  /** Recordings with a copy being made, by number, after `after`. */
  moving(contactCenter: ContactCenter, after: number, limit: number): Promise<Whereabouts[]>;
  /** Recordings with audio that is still to be removed, by number, after `after`. */
  leftovers(contactCenter: ContactCenter, after: number, limit: number): Promise<Leftover[]>;
  /** Notes that audio which was left over is gone. */
  clearLeftover(contactCenter: ContactCenter, number: number, copies: readonly Copy[]): Promise<void>;
  /** Recordings by the UUIDs of their audio, in no order; tombstones too. */
  byMediaIds(contactCenter: ContactCenter, ids: readonly string[]): Promise<Whereabouts[]>;
  /** Recordings, tombstones too, by number, after `after`. */
  byNumbers(contactCenter: ContactCenter, after: number, limit: number): Promise<Whereabouts[]>;
  /** Gives a recording whose audio is lost the audio found as `copy`. False where the row changed since. */
  adopt(contactCenter: ContactCenter, recording: Recording, copy: Copy, event: AuditEvent): Promise<boolean>;
  /** Makes a recording whose audio is lost a tombstone. False where it is under legal hold or changed since. */
  bury(contactCenter: ContactCenter, recording: Recording, event: AuditEvent): Promise<boolean>;
}

export interface LettingDeps {
  readonly store: LettingStore;
  readonly places: MediaPlaces;
  readonly now: () => number;
  /** A new UUIDv7. */
  readonly newId: () => string;
}

/** How a long work goes on. */
export interface Pace {
  readonly actor: Actor;
  /** Recordings that are dealt with between two pauses. */
  readonly batch: number;
  /** Lets others have their turn. */
  readonly pause: () => Promise<void>;
  readonly onProgress: (done: number) => void;
  /** Ends the work between two batches. */
  readonly signal: AbortSignal;
}

/** The audio of a recording, where it lies or is to come in. */
export function copyOf({ state, mediaId }: Pick<Recording, 'state' | 'mediaId'>): Copy {
  return { tier: state === 'archived' ? 'archive' : 'main', id: mediaId };
}

/** Pages of what is due, one after another, each read when the one before was dealt with. */
export async function* dueBatches(
  { store }: LettingDeps,
  contactCenter: ContactCenter,
  due: Due,
  until: number,
  pace: Pick<Pace, 'batch' | 'pause' | 'signal'>,
): AsyncGenerator<readonly Recording[]> {
  let after: DuePlace | null = null;
  while (!pace.signal.aborted) {
    const page: DuePage = await store.due(contactCenter, due, until, after, pace.batch);
    if (page.recordings.length > 0) yield page.recordings;
    if (page.next === null) return;
    after = page.next;
    await pace.pause();
  }
}

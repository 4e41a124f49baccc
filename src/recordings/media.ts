import type { Readable } from 'node:stream';
import type { MediaType } from './recording.ts';

/** Where audio lies: `main` takes it in, `archive` is for what is seldom heard. */
export const TIERS = ['main', 'archive'] as const;
export type Tier = (typeof TIERS)[number];

/** Names audio in a tier: made of ids alone, so that nothing a request says becomes a path. */
export interface MediaKey {
  readonly contactCenterId: number;
  /** The `mediaId` of a recording. */
  readonly id: string;
}

/** Bytes `first` to `last`, both included (RFC 9110 section 14.1.2); what lies behind the end is left out. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface StoredMedia {
  readonly key: MediaKey;
  readonly bytes: number;
  /** Milliseconds since 1970 UTC: an upload that is under way is young. */
  readonly modifiedAt: number;
}

/** Opened audio, read into the reader's own buffers, which can be used again. */
export interface MediaFile {
  /** How long it was when it was opened. */
  readonly bytes: number;
  /** Fills a buffer from a position on; gives how many bytes there were, 0 at the end. */
  read(buffer: Buffer, position: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * One place for audio. What `put` has resolved survives a crash. Failures of the place itself (full, gone,
 * slow) are `unavailable` with `retryAfter`; what the source stream raises is raised again as it is.
 */
export interface MediaPlace {
  /**
   * Keeps what the stream gives under a key, in place of what was there; nothing of it is seen before it is
   * whole, and nothing half-written stays if it fails; the stream is then destroyed. Gives size and SHA-256
   * as they were written.
   */
  put(key: MediaKey, content: Readable): Promise<{ readonly bytes: number; readonly sha256: string }>;
  /** The bytes of a range, or all; a stream that breaks off ends with an error. Null where there is nothing. */
  open(key: MediaKey, range?: ByteRange): Promise<Readable | null>;
  /** Opens audio to be read from anywhere, where the place can do so for little; null where there is nothing. */
  openFile?(key: MediaKey): Promise<MediaFile | null>;
  /** Size and time of what is there; null where there is nothing. */
  find(key: MediaKey): Promise<StoredMedia | null>;
  /** Lets go, for good once it has resolved; nothing happens where there is nothing. */
  remove(...keys: readonly MediaKey[]): Promise<void>;
  /** Everything of a contact center, in no order; foreign files are not listed. */
  list(contactCenterId: number): AsyncIterable<StoredMedia>;
  /** Contact centers that have audio here, known or not, in no order; perhaps some that had. */
  contactCenters(): AsyncIterable<number>;
  /** How many were begun before an instant (milliseconds since 1970 UTC) and never became whole. */
  countUnfinished(before: number): Promise<number>;
  /** Lets go of what was begun before an instant (milliseconds since 1970 UTC) and never became whole. Gives how many. */
  dropUnfinished(before: number): Promise<number>;
  /** A URL from which the bytes can be fetched without us for some seconds, where the place can give one. */
  presign?(
    key: MediaKey,
    options: { readonly seconds: number; readonly mediaType: string; readonly disposition: string },
  ): Promise<string>;
  /** Whether it can be written to now. @throws Failure unavailable, naming the mend */
  check(): Promise<void>;
  /** Bytes that it can still take in; null where it has no end that we could know. */
  freeBytes(): Promise<number | null>;
  close(): Promise<void>;
}

/** All tiers. `archive` is null where none was set up. */
export interface MediaPlaces {
  readonly main: MediaPlace;
  readonly archive: MediaPlace | null;
}

/** What audio says of itself. */
export interface AudioFacts {
  readonly mediaType: MediaType;
  /** Its length in seconds, with fractions; null where that cannot be told. */
  readonly seconds: number | null;
}

/** Tells what audio is by its content, whatever it was called. */
export interface AudioReader {
  /**
   * Reads facts of stored audio of that many bytes; a few ranges of it are fetched, never all.
   * @throws Failure unsupported_media_type where it is none of MEDIA_TYPES; unavailable as the place
   */
  read(place: Pick<MediaPlace, 'open'>, key: MediaKey, bytes: number): Promise<AudioFacts>;
  close(): Promise<void>;
}

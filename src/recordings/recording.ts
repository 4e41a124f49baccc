/** Who began the call, seen from the contact center. */
export const DIRECTIONS = ['inbound', 'outbound', 'internal'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/**
 * `pending`: announced, its audio not taken in yet. `stored`: audio in the first tier. `archived`: audio
 * in the archive tier. `purged`: a tombstone, audio and personal data gone.
 */
export const STATES = ['pending', 'stored', 'archived', 'purged'] as const;
export type RecordingState = (typeof STATES)[number];

/** What audio may be, told by its content: the media type (RFC 4337, RFC 5334, RFC 3003, RFC 9639, RFC 2361) and the ending of its name. */
export const MEDIA_TYPES = {
  'audio/wav': 'wav',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'audio/mp4': 'm4a',
  'audio/flac': 'flac',
} as const;
export type MediaType = keyof typeof MEDIA_TYPES;

/** What is known of stored audio. */
export interface MediaFacts {
  readonly mediaType: MediaType;
  readonly bytes: number;
  /** SHA-256 of the whole file, lower-case hex. */
  readonly sha256: string;
}

/**
 * The record of one call's audio. Instants are milliseconds since 1970 UTC. A tombstone keeps number, ids,
 * legal hold and creation alone: so its number is never given again, and its audit has something to tell of.
 */
export interface Recording {
  /** Own integer in the contact center: starts at 1, grows, never reused. */
  readonly number: number;
  /** UUIDv7. */
  readonly id: string;
  /**
   * Names the audio where it lies: a UUID that is new with each attempt to send it and with each move, so that
   * what is removed under one can never be what is needed.
   */
  readonly mediaId: string;
  /** The user whose call it was, by their own number; null on a tombstone. */
  readonly userNumber: number | null;
  readonly leadId: number | null;
  readonly callId: string | null;
  readonly direction: Direction | null;
  /** The other party's number; null on a tombstone. */
  readonly remoteNumber: string | null;
  /** 0 on a tombstone. */
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Whole seconds of talk; null while it is not known. */
  readonly seconds: number | null;
  /** Null while pending, and on a tombstone. */
  readonly media: MediaFacts | null;
  readonly state: RecordingState;
  /** While it is set nothing lets the recording go. */
  readonly legalHold: boolean;
  /** When this recording alone is to be let go; null where the contact center's retention decides. */
  readonly keepUntil: number | null;
  /** Part of each link: raised, it ends every link that was given out before. */
  readonly revocations: number;
  readonly createdAt: number;
}

/** What a list needs of a recording. */
export type ListedRecording = Pick<
  Recording,
  | 'number'
  | 'userNumber'
  | 'leadId'
  | 'startedAt'
  | 'endedAt'
  | 'seconds'
  | 'state'
  | 'legalHold'
  | 'keepUntil'
  | 'revocations'
>;

/** What is said of a recording when it is taken in. */
export interface NewRecording {
  readonly userNumber: number;
  readonly leadId: number | null;
  readonly callId: string | null;
  readonly direction: Direction | null;
  readonly remoteNumber: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly seconds: number | null;
  readonly keepUntil: number | null;
  readonly legalHold: boolean;
}

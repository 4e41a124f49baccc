import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Actor, AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import type { AudioReader, MediaKey, MediaPlace } from './media.ts';
import type { Attempt, Idempotency, RecordingStore } from './ports.ts';
import type { NewRecording, Recording } from './recording.ts';

/** What a sender says of the audio itself; null where they say nothing. */
export interface Expected {
  readonly bytes: number | null;
  /** Lower-case hex. */
  readonly sha256: string | null;
}

/** A recording on its way in. */
export interface Arriving {
  readonly said: NewRecording;
  readonly expected: Expected;
  /** Whatever the sender chose; the same key and the same said are the same recording. */
  readonly idempotencyKey: string | null;
  readonly actor: Actor;
  /**
   * Gives the audio; asked only where it is wanted, which it is not of a recording that is known. The
   * stream is read to its end or to where it is refused, and never destroyed: what is left is the caller's.
   */
  readonly open: () => Readable | Promise<Readable>;
}

export interface TakenIn {
  readonly recording: Recording;
  /** False where the idempotency key was used before and its recording is the one given, now perhaps let go. */
  readonly isNew: boolean;
  /** SHA-256 of the audio that came in, now or then. */
  readonly sha256: string | null;
}

export interface TakeInDeps {
  readonly recordings: RecordingStore;
  readonly main: MediaPlace;
  readonly audio: AudioReader;
  readonly now: () => number;
  readonly newId: () => string;
  /** The longest audio that is taken, in bytes. */
  readonly mostBytes: number;
}

/**
 * Takes a recording in. It resolves once audio and record are kept for good.
 * @throws Failure invalid, too_large or unsupported_media_type where the sender is wrong: then nothing is
 * kept. unavailable with `retryAfter` where the store or the media place fails: then a retry with the same
 * idempotency key completes it. conflict where the key was used for something else, or a later request with
 * the key took over.
 */
export type TakeIn = (contactCenter: ContactCenter, arriving: Arriving) => Promise<TakenIn>;

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * How a retry is known. Keys may hold anything, and for a while outlive the recording: they are kept as a hash
 * alone. What was said could be guessed from its hash: see KEY_LIFE.
 */
export function idempotencyOf(
  idempotencyKey: string,
  { said, expected }: Pick<Arriving, 'said' | 'expected'>,
): Idempotency {
  const all = Object.entries({ ...said, ...expected }).sort(([a], [b]) => (a < b ? -1 : 1));
  return { key: sha256Of(idempotencyKey), fingerprint: sha256Of(JSON.stringify(all)) };
}

/** What the sender got wrong, and no retry of the same mends. */
const isSenders = (error: unknown): boolean => error instanceof Failure && error.kind !== 'unavailable';

function audioProblem(problem: string, cause?: unknown): Failure {
  return new Failure('invalid', `audio: ${problem}`, { fields: { audio: [problem] }, cause });
}

/** The audio as it comes, held to its length. What breaks it off is told as the sender's. */
async function* hold(content: Readable, expected: number | null, most: number): AsyncGenerator<Buffer> {
  let bytes = 0;
  const pieces = content[Symbol.asyncIterator]();
  for (;;) {
    let next: IteratorResult<Buffer>;
    try {
      next = await pieces.next();
    } catch (error) {
      throw error instanceof Failure ? error : audioProblem('was cut off before its end', error);
    }
    if (next.done === true) break;
    bytes += next.value.length;
    if (expected !== null && bytes > expected) throw audioProblem('is longer than was said');
    if (bytes > most) throw new Failure('too_large', `the audio is longer than ${most} bytes`);
    yield next.value;
  }
  if (expected !== null && bytes < expected) throw audioProblem('was cut off before its end');
}

/** How long a call was and when it ended: as was said, one from the other, or else both from the audio's length. */
function timesOf({ startedAt, endedAt, seconds }: Recording, length: number | null) {
  if (endedAt !== null) return { endedAt, seconds: seconds ?? Math.round((endedAt - startedAt) / 1000) };
  if (seconds !== null) return { seconds, endedAt: startedAt + seconds * 1000 };
  if (length === null) return { seconds, endedAt };
  const milliseconds = Math.round(length * 1000);
  return { seconds: Math.round(milliseconds / 1000), endedAt: startedAt + milliseconds };
}

export function createTakeIn({ recordings, main, audio, now, newId, mostBytes }: TakeInDeps): TakeIn {
  const keyOf = (contactCenter: ContactCenter, id: string): MediaKey => ({
    contactCenterId: contactCenter.id,
    id,
  });

  /** Puts the audio where it belongs, and gives what it is. */
  async function take(key: MediaKey, { expected, open }: Arriving) {
    const content = await open();
    const held = Readable.from(hold(content, expected.bytes, mostBytes), { objectMode: false });
    const { bytes, sha256 } = await main.put(key, held);
    if (expected.sha256 !== null && sha256 !== expected.sha256) {
      throw audioProblem('is not what its checksum says');
    }
    return { bytes, sha256, ...(await audio.read(main, key, bytes)) };
  }

  async function complete(
    contactCenter: ContactCenter,
    recording: Recording,
    arriving: Arriving,
  ): Promise<Recording> {
    const { number, mediaId } = recording;
    const { seconds: length, ...media } = await take(keyOf(contactCenter, mediaId), arriving);
    const event: AuditEvent = {
      at: now(),
      actor: arriving.actor,
      action: 'recording.added',
      subject: String(number),
      outcome: 'done',
      details: {
        bytes: media.bytes,
        ...(arriving.said.legalHold ? { legalHold: true } : {}),
        ...(arriving.said.keepUntil === null
          ? {}
          : { keepUntil: new Date(arriving.said.keepUntil).toISOString() }),
      },
    };
    const facts = { ...media, ...timesOf(recording, length) };
    return recordings.complete(contactCenter, { number, mediaId }, facts, event);
  }

  /** Takes back what an attempt began, where nothing will end it. What is under legal hold stays. */
  async function abandon(
    contactCenter: ContactCenter,
    attempt: Attempt,
    error: unknown,
    { actor, isOwnHold }: { readonly actor: Actor; readonly isOwnHold: boolean },
  ): Promise<void> {
    const event: AuditEvent = {
      at: now(),
      actor,
      action: 'recording.dropped',
      subject: String(attempt.number),
      outcome: 'failed',
      details: { reason: error instanceof Failure ? error.kind : 'internal' },
    };
    const discarded = await recordings.discard(contactCenter, attempt, event, isOwnHold);
    // Where another attempt took over, ours has a place of its own all the same.
    if (discarded === 'dropped' || (error instanceof Failure && error.kind === 'conflict')) {
      await main.remove(keyOf(contactCenter, attempt.mediaId));
    }
  }

  return async (contactCenter, arriving) => {
    const key = arriving.idempotencyKey;
    const idempotency = key === null ? undefined : idempotencyOf(key, arriving);
    const made = { id: newId(), now: now() };
    const reserved = await recordings.reserve(contactCenter, arriving.said, made, idempotency);
    const { recording, superseded, sha256 } = reserved;
    if (recording.state !== 'pending') return { recording, isNew: false, sha256 };
    // What stays is found by the sweep; it is no reason to refuse this.
    if (superseded !== null) await main.remove(keyOf(contactCenter, superseded)).catch(() => {});
    try {
      const stored = await complete(contactCenter, recording, arriving);
      return { recording: stored, isNew: true, sha256: stored.media?.sha256 ?? null };
    } catch (error) {
      // A pending recording without a key could never be completed.
      if (isSenders(error) || idempotency === undefined) {
        const isOwnHold = reserved.isNew && arriving.said.legalHold;
        await abandon(contactCenter, recording, error, { actor: arriving.actor, isOwnHold }).catch(() => {});
      }
      throw error;
    }
  };
}

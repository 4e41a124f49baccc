import { posix } from 'node:path';
import type { Readable } from 'node:stream';
import type { ContactCenter } from '../access/contact-center.ts';
import type { SourceRow } from '../directory/import.ts';
import type { UserPages } from '../directory/ports.ts';
import { plain, type RowShape } from '../directory/source/csv.ts';
import type { JsonObject } from '../directory/user.ts';
import { Failure, invalid } from '../errors.ts';
import type { AudioReader, ByteRange } from './media.ts';
import type { Idempotency, RecordingStore } from './ports.ts';
import type { Recording } from './recording.ts';
import { readSaid, SAID_FIELDS, type Said } from './said.ts';
import { type Expected, idempotencyOf, type TakeIn } from './take-in.ts';

/** A file that a manifest names. */
export interface ManifestFile {
  readonly bytes: number;
  read(range?: ByteRange): Readable;
  sha256(): Promise<string>;
  close(): Promise<void>;
}

/** Where the files of a manifest lie. */
export interface ManifestFiles {
  /** @throws Failure invalid, of the field `file`, where there is no such file or it lies elsewhere */
  open(name: string): Promise<ManifestFile>;
}

/**
 * What became of a row. `number` is the recording's; null in a dry run, and of a refused row. A row whose recording
 * was `let go` brings it not back, and counts as unchanged.
 */
export interface Verdict {
  readonly row: SourceRow;
  readonly outcome: 'made' | 'unchanged' | 'let go' | 'refused';
  readonly number: number | null;
  readonly reason: string | null;
}

export interface ManifestCounts {
  readonly made: number;
  readonly unchanged: number;
  readonly refused: number;
}

/** What a verdict counts as. */
export const countedAs = ({ outcome }: Pick<Verdict, 'outcome'>): keyof ManifestCounts =>
  outcome === 'let go' ? 'unchanged' : outcome;

export interface ManifestOptions {
  readonly contactCenter: ContactCenter;
  readonly takeIn: TakeIn;
  readonly recordings: RecordingStore;
  readonly users: UserPages;
  readonly audio: AudioReader;
  readonly files: ManifestFiles;
  readonly now: () => number;
  /** Looks at everything and keeps nothing. */
  readonly dryRun: boolean;
  /** Told of each row, in the order of the manifest, once what it tells is kept. */
  readonly onVerdict: (verdict: Verdict) => void | Promise<void>;
}

/** Rows that are under way at once: most of each is waiting for the disk. */
const AT_ONCE = 64;
/** How often a row is tried whose recording others take in at the same time. */
const TRIES = 3;

const FIELDS = ['file', ...SAID_FIELDS];
const FIELD_OF = new Map(FIELDS.map((field) => [plain(field), field]));

/** Rows of a manifest: what is said of each recording, and the file that holds its audio. */
export const MANIFEST_ROWS: RowShape = {
  of: 'a recording',
  example: 'file,user,startedAt',
  fieldOf: (name) => FIELD_OF.get(plain(name)),
  readCell: (_, text) => text,
};

interface Line {
  readonly file: string;
  readonly said: Said;
  /** The same file of the same user's call is the same recording, whatever else a row says of it. */
  readonly key: string;
}

type Outcome = Pick<Verdict, 'outcome' | 'number' | 'reason'>;

const saysOtherwise = () =>
  invalid('file', 'stands in another row, or stood in an import, that says otherwise');

const known = ({ number, state }: Recording): Outcome => ({
  outcome: state === 'purged' ? 'let go' : 'unchanged',
  number,
  reason: null,
});

const isRefusal = (error: unknown): error is Failure =>
  error instanceof Failure &&
  ['invalid', 'conflict', 'too_large', 'unsupported_media_type'].includes(error.kind);

/**
 * Takes in the recordings that rows name. What was told is kept; a row that is known is unchanged, so that
 * an import that was broken off is run again as it was. A bad row is told and stops nothing else.
 * @throws Failure unavailable where the store or the media place fails; rows before it are kept
 */
export async function importManifest(
  rows: AsyncIterable<SourceRow>,
  options: ManifestOptions,
): Promise<ManifestCounts> {
  const { contactCenter, dryRun } = options;
  const counts = { made: 0, unchanged: 0, refused: 0 };
  const underWay: { readonly row: SourceRow; readonly outcome: Promise<Outcome> }[] = [];
  /** Rows of one recording wait for each other: the last of two attempts at once ends the first. */
  const byKey = new Map<string, Promise<unknown>>();
  /** What a dry run would have kept by now. */
  const looked = new Map<string, string>();

  async function readLine(value: JsonObject): Promise<Line> {
    const { file } = value;
    if (typeof file !== 'string' || file === '') throw invalid('file', 'must name a file');
    // What is said of nothing else still has its place among the fields.
    const said = await readSaid(
      contactCenter,
      { ...value, file: null },
      { users: options.users, now: options.now() },
    );
    const { userNumber, startedAt } = said.said;
    return { file, said, key: JSON.stringify(['manifest', posix.normalize(file), userNumber, startedAt]) };
  }

  /**
   * The recording that a row was made into before; null for none.
   * @throws Failure invalid where what was said of it then is not what is said now
   */
  async function findBefore(idempotency: Idempotency): Promise<Recording | null> {
    try {
      return await options.recordings.findByKey(contactCenter, idempotency);
    } catch (error) {
      throw error instanceof Failure && error.kind === 'conflict' ? saysOtherwise() : error;
    }
  }

  async function take({ file, said, key }: Line): Promise<Outcome> {
    let opened: ManifestFile | undefined;
    try {
      const { recording, isNew } = await options.takeIn(contactCenter, {
        ...said,
        idempotencyKey: key,
        actor: { kind: 'cli' },
        open: async () => {
          opened = await options.files.open(file);
          return opened.read();
        },
      });
      return isNew ? { outcome: 'made', number: recording.number, reason: null } : known(recording);
    } catch (error) {
      // The key is ours, and nobody's who reads the verdict.
      if (error instanceof Failure && error.kind === 'conflict') await findBefore(idempotencyOf(key, said));
      throw error;
    } finally {
      await opened?.close();
    }
  }

  /** Does what `take` would find out, and keeps nothing. */
  async function look({ file, said, key }: Line): Promise<Outcome> {
    const idempotency = idempotencyOf(key, said);
    const found = await findBefore(idempotency);
    if (found !== null && found.state !== 'pending') return known(found);
    const before = looked.get(idempotency.key);
    if (before !== undefined) {
      if (before !== idempotency.fingerprint) throw saysOtherwise();
      return { outcome: 'unchanged', number: null, reason: null };
    }
    const opened = await options.files.open(file);
    try {
      await check(opened, said.expected);
    } finally {
      await opened.close();
    }
    looked.set(idempotency.key, idempotency.fingerprint);
    return { outcome: 'made', number: null, reason: null };
  }

  async function check(found: ManifestFile, { bytes, sha256 }: Expected): Promise<void> {
    if (bytes !== null && bytes !== found.bytes) throw invalid('audio', 'is longer or shorter than was said');
    if (sha256 !== null && sha256 !== (await found.sha256())) {
      throw invalid('audio', 'is not what its checksum says');
    }
    const place = { open: async (_: unknown, range?: ByteRange) => found.read(range) };
    await options.audio.read(place, { contactCenterId: contactCenter.id, id: '' }, found.bytes);
  }

  async function attempt(line: Line): Promise<Outcome> {
    for (let left = TRIES; ; left -= 1) {
      try {
        return await (dryRun ? look(line) : take(line));
      } catch (error) {
        // Another import of the same manifest may have come in between: then it is known next time.
        if (!(error instanceof Failure && error.kind === 'conflict') || left <= 1) throw error;
      }
    }
  }

  async function run(row: SourceRow): Promise<Outcome> {
    if ('problem' in row) return { outcome: 'refused', number: null, reason: row.problem };
    try {
      const line = await readLine(row.value);
      const outcome = (byKey.get(line.key) ?? Promise.resolve()).then(() => attempt(line));
      const settled = outcome.catch(() => {});
      byKey.set(line.key, settled);
      try {
        return await outcome;
      } finally {
        if (byKey.get(line.key) === settled) byKey.delete(line.key);
      }
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return { outcome: 'refused', number: null, reason: error.message };
    }
  }

  async function tellFirst(): Promise<void> {
    const [first] = underWay;
    if (first === undefined) return;
    const outcome = await first.outcome;
    underWay.shift();
    counts[countedAs(outcome)] += 1;
    await options.onVerdict({ row: first.row, ...outcome });
  }

  try {
    for await (const row of rows) {
      if (underWay.length >= AT_ONCE) await tellFirst();
      const outcome = run(row);
      // One that fails is heard of when its turn comes.
      outcome.catch(() => {});
      underWay.push({ row, outcome });
    }
    while (underWay.length > 0) await tellFirst();
  } catch (error) {
    // What is under way still uses the store.
    await Promise.allSettled(underWay.map(({ outcome }) => outcome));
    throw error;
  }
  return counts;
}

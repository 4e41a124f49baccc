import { createWriteStream, type WriteStream } from 'node:fs';
import { stat, truncate } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type { Refusal } from '../directory/import.ts';
import type { CsvHeader } from '../directory/source/csv.ts';
import type { Source } from '../directory/source/rows.ts';
import { Failure } from '../errors.ts';
import { UsageError, untilDrained } from './output.ts';

/** Where refused rows are kept, in the file's own form, so that they can be mended and loaded again. */
export class Rejects {
  readonly #path: string;
  #stream: WriteStream | null = null;
  #failure: unknown = null;

  constructor(path: string) {
    this.#path = path;
  }

  async add({ row, reason }: Refusal, source: Source): Promise<void> {
    const header = source.header();
    if (this.#stream === null) {
      this.#stream = createWriteStream(this.#path, { mode: 0o600 });
      this.#stream.on('error', (error) => {
        this.#failure = error;
      });
      // By our own names, so that the file is loaded without the mapping of the one that it comes from.
      if (header !== null)
        this.#write(Buffer.from(['_rejected', ...columnsOf(header)].join(header.separator)));
    }
    const stream = this.#stream;
    if (!this.#write(lineOf({ row, reason }, header)) && this.#failure === null) {
      await untilDrained(stream);
    }
    this.#check();
  }

  #write(line: Buffer): boolean {
    return this.#stream?.write(Buffer.concat([line, NEWLINE])) ?? true;
  }

  #check(): void {
    if (this.#failure === null) return;
    throw new Failure(
      'unavailable',
      'cannot write the file that --rejects names; check its folder and the disk. What was good up to here is kept',
      { cause: this.#failure },
    );
  }

  /** Empties the file where no row was refused: what is left of another run must not be loaded for this one's. */
  async dropStale(): Promise<void> {
    if (this.#stream !== null) return;
    const found = await stat(this.#path).catch(() => null);
    if (found?.isFile() !== true) return;
    try {
      await truncate(this.#path);
    } catch (error) {
      this.#failure = error;
      this.#check();
    }
  }

  async close(): Promise<void> {
    if (this.#stream === null) return;
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
    this.#check();
  }
}

const NEWLINE = Buffer.from('\n');

const columnsOf = ({ fields, hasReasons }: CsvHeader) => (hasReasons ? fields.slice(1) : fields);

/** A refused row as it was, byte by byte, with the reason where the file's form has a place for it. */
function lineOf({ row, reason }: Refusal, header: CsvHeader | null): Buffer {
  const isMadeAnew = header === null && 'value' in row;
  if (isMadeAnew) return Buffer.from(JSON.stringify({ ...row.value, _rejected: reason }));
  const bytes = ('bytes' in row ? row.bytes : undefined) ?? Buffer.from(row.text);
  const text = bytes.toString('latin1');
  if (header === null) return Buffer.from(text.replaceAll(/\r?\n/g, ' '), 'latin1');
  // The reason stands first: behind a row that is short of a cell it would be taken for that cell.
  const rest = header.hasReasons ? text.slice(endOfFirst(text, header.separator)) : text;
  const first = `"${reason.replaceAll('"', '""')}"${header.separator}`;
  return Buffer.concat([Buffer.from(first), Buffer.from(rest, 'latin1')]);
}

/** Where the first cell of a row has ended, with what stands behind it. */
function endOfFirst(text: string, separator: string): number {
  const quoted = /^"(?:[^"]|"")*"/.exec(text)?.[0].length ?? 0;
  const at = text.indexOf(separator, quoted);
  return at < 0 ? 0 : at + 1;
}

/** A file of rejects is loaded again, and must not be emptied while it is read. */
async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => null)));
  return a != null && b != null && a.dev === b.dev && a.ino === b.ino;
}

/**
 * The file of refused rows that --rejects names, made when there is one; null where none is wanted.
 * @throws UsageError where it is the file that is read
 */
export async function openRejects(path: string | undefined, file: string): Promise<Rejects | null> {
  if (path === undefined) return null;
  if (await isSameFile(file, path)) {
    throw new UsageError('--rejects names the file that is imported; give it another name');
  }
  return new Rejects(path);
}

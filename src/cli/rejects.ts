import { createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import type { Refusal } from '../directory/import.ts';
import type { Source } from '../directory/source/rows.ts';
import { Failure } from '../errors.ts';
import { UsageError, untilDrained } from './output.ts';

/** Where refused rows are kept, in the file's own form, so that they can be mended and loaded again. */
export class Rejects {
  readonly #path: string;
  #stream: WriteStream | null = null;
  #failure: Error | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async add({ row, reason }: Refusal, source: Source): Promise<void> {
    if (this.#stream === null) {
      this.#stream = createWriteStream(this.#path, { mode: 0o600 });
      this.#stream.on('error', (error) => {
        this.#failure = error;
      });
      const header = source.header();
      if (header !== null) this.#write(REASON_FIRST.test(header) ? header : `_rejected,${header}`);
    }
    const stream = this.#stream;
    if (!this.#write(this.#line({ row, reason }, source)) && this.#failure === null) {
      await untilDrained(stream);
    }
    this.#check();
  }

  #line({ row, reason }: Refusal, source: Source): string {
    const header = source.header();
    if (header !== null) {
      // The reason stands first: behind a row that is short of a cell it would be taken for that cell.
      const text = REASON_FIRST.test(header) ? row.text.replace(/^("([^"]|"")*"|[^",]*),/, '') : row.text;
      return `"${reason.replaceAll('"', '""')}",${text}`;
    }
    if ('value' in row) return JSON.stringify({ ...row.value, _rejected: reason });
    return row.text.replaceAll(/\r?\n/g, ' ');
  }

  #write(line: string): boolean {
    return this.#stream?.write(`${line}\n`) ?? true;
  }

  #check(): void {
    if (this.#failure === null) return;
    throw new Failure(
      'unavailable',
      'cannot write the file that --rejects names; check its folder and the disk. What was good up to here is kept',
      { cause: this.#failure },
    );
  }

  async close(): Promise<void> {
    if (this.#stream === null) return;
    this.#stream.end();
    await finished(this.#stream).catch(() => {});
    this.#check();
  }
}

const REASON_FIRST = /^_rejected,/;

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

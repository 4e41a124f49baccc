import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { DIALECTS, FORMATS, SURROUNDINGS } from '../app.ts';
import type { UserFormat } from '../directory/format.ts';
import { importUsers, type Refusal } from '../directory/import.ts';
import { native } from '../directory/native.ts';
import { readSource, type Source } from '../directory/source/rows.ts';
import type { JsonObject } from '../directory/user.ts';
import { Failure } from '../errors.ts';
import { type CommonOptions, needContactCenter, withStore } from './context.ts';
import { print, UsageError } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';

interface ImportFlags extends CommonOptions {
  readonly contactCenter: string;
  readonly format: string;
  readonly dryRun?: boolean;
  readonly rejects?: string;
  readonly map: readonly string[];
}

/** Refusals that the JSON document holds; the rest are counted. */
const MAX_TOLD = 1000;

function readMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at <= 0) throw new UsageError('--map takes "Their Name=field", such as --map "E-Mail=email"');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function findFormat(name: string, source: Source): (first: JsonObject) => UserFormat {
  const named = FORMATS.find((format) => format.name === name);
  if (source.kind === 'csv') {
    if (named !== undefined && named !== native)
      throw new UsageError(`a CSV file holds native fields; --format ${name} is JSON`);
    return () => native;
  }
  if (named !== undefined) return () => named;
  return (first) => {
    const found = FORMATS.find((format) => format.recognises(first));
    if (found !== undefined) return found;
    throw new Failure(
      'invalid',
      'the first record looks like none of the known formats; name the format with --format',
    );
  };
}

/** Counts the bytes of a file as they are read. */
async function openInput(
  file: string,
): Promise<{ chunks: AsyncIterable<Buffer>; size: number | null; read: () => number }> {
  let read = 0;
  const count = async function* (stream: AsyncIterable<Buffer>) {
    for await (const chunk of stream) {
      read += chunk.length;
      yield chunk;
    }
  };
  if (file === '-') return { chunks: count(process.stdin), size: null, read: () => read };
  try {
    const found = await stat(file);
    if (found.isDirectory())
      throw new Failure('invalid', 'the file to import is a folder; name a file in it');
    const chunks = count(createReadStream(file, { highWaterMark: 262_144 }));
    return { chunks, size: found.size, read: () => read };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('not_found', 'cannot read the file to import; check its path and permissions', {
      cause: error,
    });
  }
}

/** Where refused rows are kept, in the file's own form, so that they can be mended and loaded again. */
class Rejects {
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
      await new Promise<void>((resolve) =>
        stream.once('drain', () => resolve()).once('error', () => resolve()),
      );
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

async function runImport(file: string, flags: ImportFlags): Promise<void> {
  const columns = readMap(flags.map);
  if (flags.rejects !== undefined && (await isSameFile(file, flags.rejects))) {
    throw new UsageError('--rejects names the file that is imported; give it another name');
  }
  await withStore(flags, async ({ access, writer }) => {
    const contactCenter = await needContactCenter(access, flags.contactCenter);
    const input = await openInput(file);
    const source = await readSource(input.chunks, { columns });
    const formatOf = findFormat(flags.format, source);
    const rejects = flags.rejects === undefined ? null : new Rejects(flags.rejects);
    const progress = startProgress(input.size, 'bytes');
    const told: { line: number; reason: string }[] = [];
    let usedFormat: string | null = null;
    try {
      const counts = await importUsers(writer, source.rows, {
        contactCenter,
        formatOf: (first) => {
          const format = formatOf(first);
          usedFormat = format.name;
          return format;
        },
        dialects: DIALECTS.map((dialect) => dialect.name),
        now: SURROUNDINGS.now,
        newId: SURROUNDINGS.newId,
        dryRun: flags.dryRun === true,
        onRefused: async (refusal) => {
          const { row, reason } = refusal;
          if (flags.json !== true) process.stderr.write(`line ${row.line}: ${reason}\n`);
          if (told.length < MAX_TOLD) told.push({ line: row.line, reason });
          await rejects?.add(refusal, source);
        },
        onProgress: ({ made, changed, unchanged, refused }) =>
          progress.update(
            input.read(),
            `${made} made, ${changed} changed, ${unchanged} unchanged, ${refused} refused`,
          ),
      });
      progress.stop();
      const summary = { ...counts, format: usedFormat, dryRun: flags.dryRun === true, refusals: told };
      const verb = flags.dryRun === true ? 'would be: ' : '';
      print(flags.json === true, summary, [
        `${verb}${counts.made} made, ${counts.changed} changed, ${counts.unchanged} unchanged, ${counts.refused} refused`,
        ...(rejects !== null && counts.refused > 0
          ? [`the refused rows are in ${flags.rejects}; mend them and import that file`]
          : []),
      ]);
      if (counts.refused > 0) process.exitCode = 1;
    } finally {
      progress.stop();
      await rejects?.close();
    }
  });
}

/** `import FILE`. */
export function addImportCommand(program: Command, newCommand: NewCommand): void {
  newCommand(program, 'import', 'load users from a file, or from - for stdin')
    .argument('<file>', "JSON, JSON lines or CSV (native fields), or a vendor's saved answers")
    .requiredOption('--contact-center <name>')
    .addOption(
      new Option('--format <format>', 'what the rows are; auto tells by the first')
        .choices(['auto', ...FORMATS.map((format) => format.name).sort()])
        .default('auto'),
    )
    .option('--dry-run', 'work everything out and keep nothing')
    .option('--rejects <file>', 'write refused rows there, to be mended and loaded again')
    .option(
      '--map <name=field>',
      'what a CSV column is; may be given several times',
      (pair, all: string[]) => [...all, pair],
      [],
    )
    .action(runImport);
}

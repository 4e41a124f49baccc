import { Failure } from '../errors.ts';

/** The command line was used wrongly: exit code 2. */
export class UsageError extends Error {}

/** Says in one line that stdout takes no more, and ends; a reader such as head that has seen enough is no failure. */
export function watchStdout(): void {
  process.stdout.on('error', (error) => {
    if ('code' in error && error.code === 'EPIPE') return;
    process.stderr.write('rollcall: cannot write to stdout; is the disk full?\n');
    process.exit(1);
  });
}

/** Resolves once a stream whose `write` gave false takes more, or never will. */
export async function untilDrained(stream: NodeJS.WritableStream): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      stream.off('drain', done).off('error', done);
      resolve();
    };
    stream.on('drain', done).on('error', done);
  });
}

/** Writes one JSON document, or lines for people. */
export function print(json: boolean, document: unknown, lines: readonly string[]): void {
  process.stdout.write(
    json ? `${JSON.stringify(document, null, 2)}\n` : lines.map((line) => `${line}\n`).join(''),
  );
}

/** Columns of text, each as wide as its widest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Reads a flag's value by a domain check, as a usage error where it fails. */
export function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'invalid') throw new UsageError(error.message);
    throw error;
  }
}

/** A whole number from a flag. @throws UsageError */
export function wholeFlag(flag: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new UsageError(`${flag} takes a whole number from ${least} to ${most}`);
  };
}

import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { type Command, Option } from 'commander';
import { FORMATS, SURROUNDINGS } from '../app.ts';
import { exportUsers } from '../directory/export.ts';
import { native } from '../directory/native.ts';
import { Failure } from '../errors.ts';
import { type CommonOptions, needContactCenter, withStore } from './context.ts';
import { print, UsageError, untilDrained } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';
import { addReplicaOptions, type ReplicaFlags, readReplica } from './replica-options.ts';

interface ExportFlags extends CommonOptions, Pick<ReplicaFlags, 'replicaUrl' | 'replicaMaxLag'> {
  readonly contactCenter: string;
  readonly format: string;
  readonly output?: string;
}

async function runExport(flags: ExportFlags): Promise<void> {
  if (flags.json === true && flags.output === undefined) {
    throw new UsageError('--json prints a summary, and the users are on stdout; give --output FILE with it');
  }
  const format = FORMATS.find((each) => each.name === flags.format) ?? native;
  await withStore({ ...flags, replica: readReplica(flags) }, async ({ access, pages }) => {
    const contactCenter = await needContactCenter(access, flags.contactCenter);
    const total = await pages.count(contactCenter);
    // Users who are shown on the terminal are told of by themselves.
    const progress = flags.output === undefined ? null : startProgress(total, 'users');
    let given = 0;
    const pieces = exportUsers(pages, contactCenter, format, SURROUNDINGS.now(), (users) => {
      given = users;
      progress?.update(users, `${users} of ${total} users`);
    });
    try {
      if (flags.output === undefined) await writeAll(process.stdout, pieces);
      else await writeFile(flags.output, pieces);
    } finally {
      progress?.stop();
    }
    if (flags.output !== undefined) {
      print(flags.json === true, { users: given, format: format.name, output: flags.output }, [
        `${given} users are in ${flags.output}`,
      ]);
    }
  });
}

async function writeAll(stream: NodeJS.WritableStream, pieces: AsyncIterable<string>): Promise<void> {
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  for await (const piece of pieces) {
    if (failure !== undefined) break;
    if (!stream.write(piece)) await untilDrained(stream);
  }
  // A reader such as head that has seen enough is no failure.
  if (failure !== undefined && !('code' in failure && failure.code === 'EPIPE')) {
    throw new Failure('unavailable', 'cannot write the export; is the disk full?', { cause: failure });
  }
}

/**
 * A file is whole or not there: it is written beside its place first. A pipe or a device is written to as it
 * stands: a file in its place would take it away from everybody.
 */
async function writeFile(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found !== null && !found.isFile() && !found.isDirectory()) return writeInto(path, pieces);
  const partial = `${path}.partial`;
  const stream = createWriteStream(partial, { mode: 0o600, flush: true });
  try {
    await writeAll(stream, pieces);
    stream.end();
    await finished(stream);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw explainOutput(error);
  }
}

async function writeInto(path: string, pieces: AsyncIterable<string>): Promise<void> {
  const stream = createWriteStream(path);
  try {
    await writeAll(stream, pieces);
    stream.end();
    await finished(stream);
  } catch (error) {
    throw explainOutput(error);
  }
}

function explainOutput(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure(
    'unavailable',
    'cannot write the file that --output names; check its folder and the disk',
    { cause: error },
  );
}

/** `export`. */
export function addExportCommand(
  program: Command,
  newCommand: NewCommand,
  env: Readonly<Record<string, string | undefined>>,
): void {
  addReplicaOptions(newCommand(program, 'export', 'give out every user, on stdout or into a file'), env)
    .requiredOption('--contact-center <name>', 'whose; needed')
    .addOption(
      new Option('--format <format>', "native JSON lines, or a vendor's answer")
        .choices(FORMATS.map((format) => format.name).sort())
        .default('native'),
    )
    .option('--output <file>', 'write there instead of stdout')
    .action(runExport);
}

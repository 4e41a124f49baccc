import { type Command, Option } from 'commander';
import { DIALECTS, FORMATS, SURROUNDINGS } from '../app.ts';
import type { UserFormat } from '../directory/format.ts';
import { importUsers } from '../directory/import.ts';
import { native } from '../directory/native.ts';
import { readSource, type Source } from '../directory/source/rows.ts';
import type { JsonObject } from '../directory/user.ts';
import { Failure } from '../errors.ts';
import { type CommonOptions, needContactCenter, withStore } from './context.ts';
import { print, UsageError } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';
import { openRejects } from './rejects.ts';
import { openInput, readMap } from './rows-file.ts';

interface ImportFlags extends CommonOptions {
  readonly contactCenter: string;
  readonly format: string;
  readonly dryRun?: boolean;
  readonly rejects?: string;
  readonly map?: readonly string[];
}

/** Refusals that the JSON document holds; the rest are counted. */
const MAX_TOLD = 1000;

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

async function runImport(file: string, flags: ImportFlags): Promise<void> {
  const columns = readMap(flags.map ?? []);
  const rejects = await openRejects(flags.rejects, file);
  await withStore(flags, async (store) => {
    const contactCenter = await needContactCenter(store.access, flags.contactCenter);
    const input = await openInput(file);
    const source = await readSource(input.chunks, { columns });
    const formatOf = findFormat(flags.format, source);
    const progress = startProgress(input.size, 'bytes');
    const told: { line: number; reason: string }[] = [];
    let usedFormat: string | null = null;
    // A dry run reads what it wrote, over and over: that is best done beside it.
    const bulk = flags.dryRun === true ? null : store.openBulkWriter();
    try {
      const counts = await importUsers(bulk?.writer ?? store.writer, source.rows, {
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
          if (flags.json !== true) progress.tell(`line ${row.line}: ${reason}`);
          if (told.length < MAX_TOLD) told.push({ line: row.line, reason });
          await rejects?.add(refusal, source);
        },
        onProgress: ({ made, changed, unchanged, refused }) =>
          progress.update(
            input.read(),
            `${made} made, ${changed} changed, ${unchanged} unchanged, ${refused} refused`,
          ),
      });
      if (flags.dryRun !== true) await rejects?.dropStale();
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
      await bulk?.close();
      await rejects?.close();
    }
  });
}

/** `import FILE`. */
export function addImportCommand(program: Command, newCommand: NewCommand): void {
  newCommand(program, 'import', 'load users from a file, or from - for stdin')
    .argument('<file>', "JSON, JSON lines or CSV (native fields), or a vendor's saved answers")
    .requiredOption('--contact-center <name>', 'whose; needed')
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
      (pair, all: readonly string[] = []) => [...all, pair],
    )
    .action(runImport);
}

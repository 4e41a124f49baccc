import type { Command } from 'commander';
import { SURROUNDINGS } from '../../app.ts';
import type { MediaFlags } from '../../config/media.ts';
import { readSource } from '../../directory/source/rows.ts';
import {
  countedAs,
  importManifest,
  MANIFEST_ROWS,
  type ManifestCounts,
  type Verdict,
} from '../../recordings/import.ts';
import { type CommonOptions, needContactCenter } from '../context.ts';
import type { AddMediaOptions } from '../media-options.ts';
import type { NewCommand } from '../program.ts';
import { startProgress } from '../progress.ts';
import { openRejects } from '../rejects.ts';
import { openInput, readMap } from '../rows-file.ts';
import { openManifestFiles } from './manifest-files.ts';
import { withTakingIn } from './taking-in.ts';

interface ImportFlags extends CommonOptions {
  readonly contactCenter: string;
  /** The folder in which the manifest's files lie. */
  readonly media: string;
  readonly storeMedia?: string;
  readonly archiveMedia?: string;
  readonly dryRun?: boolean;
  readonly rejects?: string;
  readonly map?: readonly string[];
}

interface Report {
  row(verdict: Verdict): void;
  end(counts: ManifestCounts): void;
  /** Told where the import fails: what came before is kept. */
  breakOff(counts: ManifestCounts): void;
}

/** Writes a line, whatever else the terminal shows. */
type Tell = (line: string, to: NodeJS.WriteStream) => void;

/** One JSON document, written as it comes: a manifest may have a million rows. */
function reportJson(tell: Tell, isDryRun: boolean): Report {
  const HEAD = '{"rows":[';
  /** The last row waits for the next, which decides on its comma: a line that is told is whole. */
  let last: string | null = null;
  const end = ({ made, unchanged, refused }: ManifestCounts, isWhole: boolean) => {
    const counts = JSON.stringify({ made, unchanged, refused, dryRun: isDryRun, whole: isWhole }).slice(1);
    tell(last ?? HEAD, process.stdout);
    tell(`],${counts}`, process.stdout);
  };
  return {
    row({ row, outcome, number, reason }) {
      const told = { line: row.line, outcome, number, ...(reason === null ? {} : { reason }) };
      tell(last === null ? HEAD : `${last},`, process.stdout);
      last = `  ${JSON.stringify(told)}`;
    },
    end: (counts) => end(counts, true),
    breakOff(counts) {
      if (last !== null) end(counts, false);
    },
  };
}

/** Lines for people: what came to something on stdout, what was refused on stderr. */
function reportLines(tell: Tell, isDryRun: boolean, rejects: string | undefined): Report {
  return {
    row({ row, outcome, number, reason }) {
      const text = {
        made: number === null ? 'would be taken in' : `recording ${number}`,
        unchanged: number === null ? 'stands in the manifest twice' : `known as recording ${number}`,
        'let go': `recording ${number} was let go`,
        refused: reason,
      };
      const stream = outcome === 'refused' ? process.stderr : process.stdout;
      tell(`line ${row.line}: ${text[outcome]}`, stream);
    },
    end({ made, unchanged, refused }) {
      const verb = isDryRun ? 'would be: ' : '';
      tell(`${verb}${made} made, ${unchanged} unchanged, ${refused} refused`, process.stdout);
      if (rejects !== undefined && refused > 0) {
        tell(`the refused rows are in ${rejects}; mend them and import that file`, process.stdout);
      }
    },
    breakOff() {},
  };
}

function placesOf({ data, storeMedia, archiveMedia }: ImportFlags & { data: string }): MediaFlags {
  return {
    data,
    ...(storeMedia === undefined ? {} : { media: storeMedia }),
    ...(archiveMedia === undefined ? {} : { archiveMedia }),
  };
}

async function runImport(manifest: string, flags: ImportFlags): Promise<void> {
  const columns = readMap(flags.map ?? []);
  const rejects = await openRejects(flags.rejects, manifest);
  const dryRun = flags.dryRun === true;
  await withTakingIn(placesOf(flags), async ({ store, takeIn, audio }) => {
    const contactCenter = await needContactCenter(store.access, flags.contactCenter);
    const files = await openManifestFiles(flags.media);
    const input = await openInput(manifest);
    const source = await readSource(input.chunks, { columns, shape: MANIFEST_ROWS });
    const { size } = input;
    const progress = startProgress(size, 'rows');
    const report =
      flags.json === true
        ? reportJson(progress.tell, dryRun)
        : reportLines(progress.tell, dryRun, flags.rejects);
    const told = { made: 0, unchanged: 0, refused: 0 };
    // Bytes of the rows that were told: a manifest is read long before its recordings are taken in.
    let done = 0;
    try {
      const counts = await importManifest(source.rows, {
        contactCenter,
        takeIn,
        recordings: store.recordings,
        users: store.pages,
        audio,
        files,
        now: SURROUNDINGS.now,
        dryRun,
        async onVerdict(verdict) {
          told[countedAs(verdict)] += 1;
          report.row(verdict);
          const { row, outcome, reason } = verdict;
          if (outcome === 'refused') await rejects?.add({ row, reason: reason ?? '' }, source);
          const { made, unchanged, refused } = told;
          done += size === null ? 1 : Buffer.byteLength(row.text) + 1;
          progress.update(done, `${made} made, ${unchanged} unchanged, ${refused} refused`);
        },
      });
      if (!dryRun) await rejects?.dropStale();
      progress.stop();
      report.end(counts);
      if (counts.refused > 0) process.exitCode = 1;
    } catch (error) {
      report.breakOff(told);
      throw error;
    } finally {
      progress.stop();
      await rejects?.close();
    }
  });
}

/** `recordings import MANIFEST`. */
export function addRecordingsImportCommand(
  parent: Command,
  newCommand: NewCommand,
  addMediaOptions: AddMediaOptions,
): void {
  const command = newCommand(parent, 'import', 'take in the recordings that a manifest names')
    .argument('<manifest>', 'JSON lines or CSV, or - for stdin: file, user, startedAt and what else is known')
    .requiredOption('--contact-center <name>', 'whose; needed')
    .requiredOption(
      '--media <dir>',
      "folder in which the manifest's files lie; nothing outside of it is read",
    )
    .option('--dry-run', 'look at every row and file and keep nothing')
    .option('--rejects <file>', 'write refused rows there, to be mended and imported again')
    .option(
      '--map <name=field>',
      'what a CSV column is; may be given several times',
      (pair, all: readonly string[] = []) => [...all, pair],
    )
    .addHelpText(
      'after',
      '\nRun again after it was broken off, it goes on where it stopped: rows that are known are left as they are.',
    )
    .action(runImport);
  addMediaOptions(command, '--store-media');
}

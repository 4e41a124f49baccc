import type { Command } from 'commander';
import { SURROUNDINGS } from '../../app.ts';
import { copyStore, planCopy } from '../../store/moving/copy.ts';
import { describePlace } from '../../store/open.ts';
import type { CommonOptions } from '../context.ts';
import { print, table } from '../output.ts';
import { readPlace } from '../place.ts';
import type { NewCommand } from '../program.ts';
import { startProgress } from '../progress.ts';

interface CopyFlags extends CommonOptions {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: boolean;
}

const AUDIO = 'audio is not copied: give the copy the same --media, or move its files by yourself';

async function runCopy(flags: CopyFlags): Promise<void> {
  const [from, to] = [readPlace('--from', flags.from, flags), readPlace('--to', flags.to, flags)];
  if (flags.dryRun === true) {
    const { rows, target } = await planCopy(from, to);
    print(flags.json === true, { dryRun: true, target, tables: Object.fromEntries(rows) }, [
      ...table(
        ['TABLE', 'ROWS'],
        [...rows].map(([name, count]) => [name, String(count)]),
      ),
      target === 'empty'
        ? `would be copied into ${describePlace(to)}; nothing was changed`
        : `${describePlace(to)} has a part of them from a copy that was broken off; nothing was changed`,
    ]);
    return;
  }
  const progress = startProgress(100, 'percent');
  try {
    const report = await copyStore(from, to, SURROUNDINGS.now, (done, total, doing) =>
      progress.update(Math.floor((100 * done) / Math.max(1, total)), doing),
    );
    progress.stop();
    const rows = report.tables.reduce((sum, each) => sum + each.rows, 0);
    print(
      flags.json === true,
      { dryRun: false, rows, kept: report.kept, begunAnew: report.begunAnew, tables: report.tables },
      [
        ...(report.begunAnew
          ? ['the source had changed since the copy was broken off: it was begun anew']
          : []),
        ...(report.kept > 0 ? [`${report.kept} rows were there already`] : []),
        `copied ${rows} rows of ${report.tables.length} tables into ${describePlace(to)}, and compared them`,
        AUDIO,
      ],
    );
  } finally {
    progress.stop();
  }
}

/** `db copy`. */
export function addCopyCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'copy', 'copy a whole store but its audio into another, of either engine')
    .requiredOption(
      '--from <place>',
      'sqlite:DIR, postgres://..., or database: the one of ROLLCALL_DATABASE_URL',
    )
    .requiredOption('--to <place>', 'the same; empty, or the target of a copy that was broken off')
    .option('--dry-run', 'tell what would be copied, and change nothing')
    .action(runCopy);
}

import type { Command } from 'commander';
import { openRollcallStore, SURROUNDINGS } from '../app.ts';
import { restoreBackup } from '../store/backup/restore.ts';
import { describePlace } from '../store/open.ts';
import type { Environment } from '../store/postgres/tools.ts';
import { CACHE_MIB, type CommonOptions, placeOf } from './context.ts';
import { print } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';

interface RestoreFlags extends CommonOptions {
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

async function runRestore(file: string, flags: RestoreFlags, env: Environment): Promise<void> {
  const place = placeOf(flags);
  const dryRun = flags.dryRun === true;
  const progress = startProgress(100, 'percent');
  try {
    const { facts, target } = await restoreBackup(file, place, {
      force: flags.force === true,
      dryRun,
      now: SURROUNDINGS.now,
      env,
      onShare: (share, doing) => progress.update(Math.floor(100 * share), doing),
    });
    // Its first start: an older backup is brought up to date.
    if (!dryRun) await (await openRollcallStore(place, CACHE_MIB)).close();
    progress.stop();
    const { form, version, migrations, rows } = facts;
    const at = new Date(facts.at).toISOString();
    const all = Object.values(rows).reduce((sum, each) => sum + each, 0);
    const replaced = target === 'nothing' ? '' : `, in place of ${target}`;
    print(flags.json === true, { dryRun, form, version, at, migrations, rows, target }, [
      `${file}: made ${at} by ${version}, form ${form}, ${all} rows, ${rows.users ?? 0} users; it is whole`,
      dryRun
        ? `would be restored into ${describePlace(place)}${replaced}; nothing was changed`
        : `restored into ${describePlace(place)}${replaced}, and compared`,
    ]);
  } finally {
    progress.stop();
  }
}

/** `restore FILE`. */
export function addRestoreCommand(program: Command, newCommand: NewCommand, env: Environment): void {
  newCommand(program, 'restore', 'make a store of a backup')
    .argument('<file>', 'what rollcall backup wrote')
    .option('--dry-run', 'check the backup, tell what it has and what it would replace, and change nothing')
    .option('--force', 'replace the store that is there; nothing of it is kept')
    .action((file: string, flags: RestoreFlags) => runRestore(file, flags, env));
}

import type { Command } from 'commander';
import { SURROUNDINGS } from '../app.ts';
import { createBackup } from '../store/backup/create.ts';
import type { Environment } from '../store/postgres/tools.ts';
import { VERSION } from '../version.ts';
import { type CommonOptions, placeOf } from './context.ts';
import { print } from './output.ts';
import type { NewCommand } from './program.ts';
import { startProgress } from './progress.ts';

interface BackupFlags extends CommonOptions {
  readonly portable?: boolean;
}

async function runBackup(file: string, flags: BackupFlags, env: Environment): Promise<void> {
  const progress = startProgress(100, 'percent');
  try {
    const { form, why, at, migrations, rows, bytes, sha256 } = await createBackup(placeOf(flags), file, {
      portable: flags.portable === true,
      version: VERSION,
      now: SURROUNDINGS.now,
      env,
      onShare: (share, doing) => progress.update(Math.floor(100 * share), doing),
    });
    progress.stop();
    const all = Object.values(rows).reduce((sum, each) => sum + each, 0);
    const document = { file, form, why, at: new Date(at).toISOString(), migrations, rows, bytes, sha256 };
    print(flags.json === true, document, [
      `${file}: ${all} rows, ${bytes} bytes, form ${form}, checked`,
      ...(why === null ? [] : [`the portable form, as ${why}`]),
      `sha256  ${sha256}`,
      'audio is not in it: back up the folder or bucket of --media by itself',
    ]);
  } finally {
    progress.stop();
  }
}

/** `backup FILE`. */
export function addBackupCommand(program: Command, newCommand: NewCommand, env: Environment): void {
  newCommand(program, 'backup', 'write everything but audio into one file, while the store is in use')
    .argument('<file>', 'a file that is not there yet')
    .option('--portable', 'the form that both engines read, in place of that of the engine')
    .action((file: string, flags: BackupFlags) => runBackup(file, flags, env));
}

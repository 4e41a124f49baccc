import type { Command } from 'commander';
import { distributeStore } from '../../store/distribute.ts';
import { type CommonOptions, placeOf } from '../context.ts';
import { print, UsageError } from '../output.ts';
import type { NewCommand } from '../program.ts';

interface DistributeFlags extends CommonOptions {
  readonly dryRun?: boolean;
}

async function runDistribute(flags: DistributeFlags): Promise<void> {
  const dryRun = flags.dryRun === true;
  if (flags.databaseUrl === undefined) {
    throw new UsageError('a file cannot be distributed; give a PostgreSQL with --database-url');
  }
  const statements = await distributeStore(placeOf(flags), dryRun);
  const end = dryRun ? 'nothing was changed' : 'the tables are distributed by contact center';
  print(flags.json === true, { dryRun, statements }, [
    ...statements.map((sql) => `${sql};`),
    statements.length === 0 ? 'there is nothing to do: the tables are distributed' : end,
  ]);
}

/** `db distribute`. */
export function addDistributeCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'distribute', 'spread the tables over the nodes of Citus, by contact center')
    .option('--dry-run', 'print the statements, and change nothing')
    .action(runDistribute);
}

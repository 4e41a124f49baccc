import type { Command } from 'commander';
import { openRollcallStore } from '../../app.ts';
import { Failure } from '../../errors.ts';
import { readSchemaState } from '../../store/schema-state.ts';
import { CACHE_MIB, type CommonOptions, placeOf } from '../context.ts';
import { print } from '../output.ts';
import type { NewCommand } from '../program.ts';

interface MigrateFlags extends CommonOptions {
  readonly dryRun?: boolean;
}

async function runMigrate(flags: MigrateFlags): Promise<void> {
  if (flags.dryRun === true) return tellPending(flags);
  const migrated: string[] = [];
  const store = await openRollcallStore(placeOf(flags), CACHE_MIB, undefined, (name) => migrated.push(name));
  await store.close();
  print(flags.json === true, { dryRun: false, migrated }, [
    ...migrated.map((name) => `ran ${name}`),
    'the store is up to date',
  ]);
}

async function tellPending(flags: MigrateFlags): Promise<void> {
  const { pending, refusal } = await readSchemaState(placeOf(flags));
  if (refusal !== null) throw new Failure('precondition', refusal);
  print(flags.json === true, { dryRun: true, pending }, [
    ...pending.map(({ name, statements }) => `would run ${name}, ${statements.length} statements`),
    pending.length === 0 ? 'the store is up to date' : 'nothing was changed; --json shows the statements',
  ]);
}

/** `db migrate`. */
export function addMigrateCommand(parent: Command, newCommand: NewCommand): void {
  newCommand(parent, 'migrate', 'bring the store up to date, as every command does that opens it')
    .option('--dry-run', 'tell what would be run, and change nothing')
    .action(runMigrate);
}

import type { Command } from 'commander';
import type { NewCommand } from '../program.ts';
import { addMigrateCommand } from './migrate.ts';
import { addStatusCommand } from './status.ts';

/** `db migrate` and `status`. */
export function addDbCommands(program: Command, newCommand: NewCommand): void {
  const parent = program.command('db').description('bring the store up to date, and look at how it stands');
  addStatusCommand(parent, newCommand);
  addMigrateCommand(parent, newCommand);
}

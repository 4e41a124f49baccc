import type { Command } from 'commander';
import type { NewCommand } from '../program.ts';
import { addCopyCommand } from './copy.ts';
import { addMigrateCommand } from './migrate.ts';
import { addStatusCommand } from './status.ts';

/** `db status`, `migrate` and `copy`. */
export function addDbCommands(program: Command, newCommand: NewCommand): void {
  const parent = program
    .command('db')
    .description('look at how the store stands, bring it up to date, copy it');
  addStatusCommand(parent, newCommand);
  addMigrateCommand(parent, newCommand);
  addCopyCommand(parent, newCommand);
}

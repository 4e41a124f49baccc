import type { Command } from 'commander';
import type { NewCommand } from '../program.ts';
import { addCopyCommand } from './copy.ts';
import { addDistributeCommand } from './distribute.ts';
import { addMigrateCommand } from './migrate.ts';
import { addStatusCommand } from './status.ts';

/** `db status`, `migrate`, `copy` and `distribute`. */
export function addDbCommands(program: Command, newCommand: NewCommand): void {
  const parent = program
    .command('db')
    .description('look at how the store stands, bring it up to date, copy it, spread it');
  addStatusCommand(parent, newCommand);
  addMigrateCommand(parent, newCommand);
  addCopyCommand(parent, newCommand);
  addDistributeCommand(parent, newCommand);
}

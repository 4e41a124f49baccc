import type { Command } from 'commander';
import type { AddMediaOptions } from '../media-options.ts';
import type { NewCommand } from '../program.ts';
import { addRecordingsAddCommand } from './add.ts';
import { addArchiveCommands } from './archive.ts';
import { addChangeCommands } from './change.ts';
import { addRecordingsImportCommand } from './import.ts';
import { addListCommand } from './list.ts';
import { addPurgeCommand } from './purge.ts';
import { addRotateKeyCommand } from './rotate-key.ts';
import { addSweepCommand } from './sweep.ts';

/** `recordings`: taking in, looking up, keeping and letting go. */
export function addRecordingsCommands(
  program: Command,
  newCommand: NewCommand,
  addMediaOptions: AddMediaOptions,
): void {
  const parent = program.command('recordings').description('call recordings and their audio');
  const newMediaCommand: NewCommand = (...args) => addMediaOptions(newCommand(...args), '--media');
  addRecordingsAddCommand(parent, newMediaCommand);
  addRecordingsImportCommand(parent, newCommand, addMediaOptions);
  addListCommand(parent, newCommand);
  addChangeCommands(parent, newCommand);
  addPurgeCommand(parent, newMediaCommand);
  addArchiveCommands(parent, newMediaCommand);
  addSweepCommand(parent, newMediaCommand);
  addRotateKeyCommand(parent, newCommand);
}

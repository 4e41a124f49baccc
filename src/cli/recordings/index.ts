import type { Command } from 'commander';
import type { AddMediaOptions } from '../media-options.ts';
import type { NewCommand } from '../program.ts';
import { addRecordingsAddCommand } from './add.ts';
import { addRecordingsImportCommand } from './import.ts';

/** `recordings add` and `recordings import`. */
export function addRecordingsCommands(
  program: Command,
  newCommand: NewCommand,
  addMediaOptions: AddMediaOptions,
): void {
  const parent = program.command('recordings').description('call recordings and their audio');
  const newMediaCommand: NewCommand = (...args) => addMediaOptions(newCommand(...args), '--media');
  addRecordingsAddCommand(parent, newMediaCommand);
  addRecordingsImportCommand(parent, newCommand, addMediaOptions);
}

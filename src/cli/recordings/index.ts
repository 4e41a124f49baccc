import type { Command } from 'commander';
import type { AddMediaOptions } from '../media-options.ts';
import type { NewCommand } from '../program.ts';
import { addRecordingsAddCommand } from './add.ts';
import { addRecordingsImportCommand } from './import.ts';
import { addRotateKeyCommand } from './rotate-key.ts';

/** `recordings add`, `import` and `rotate-key`. */
export function addRecordingsCommands(
  program: Command,
  newCommand: NewCommand,
  addMediaOptions: AddMediaOptions,
): void {
  const parent = program.command('recordings').description('call recordings and their audio');
  const newMediaCommand: NewCommand = (...args) => addMediaOptions(newCommand(...args), '--media');
  addRecordingsAddCommand(parent, newMediaCommand);
  addRecordingsImportCommand(parent, newCommand, addMediaOptions);
  addRotateKeyCommand(parent, newCommand);
}

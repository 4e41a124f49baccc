import { Command, CommanderError, Option } from 'commander';
import { defaultData, defaultDatabaseUrl } from '../config/serve.ts';
import { describeBug, Failure } from '../errors.ts';
import { VERSION } from '../version.ts';
import { addAuditCommands } from './audit.ts';
import { addBackupCommand } from './backup.ts';
import { addContactCenterCommands } from './contact-center.ts';
import { addDbCommands } from './db/index.ts';
import { addDemoCommand } from './demo.ts';
import { addDoctorCommand } from './doctor.ts';
import { addExportCommand } from './export.ts';
import { addImportCommand } from './import.ts';
import { createMediaOptions } from './media-options.ts';
import { UsageError } from './output.ts';
import { addRecordingsCommands } from './recordings/index.ts';
import { addRestoreCommand } from './restore.ts';
import { addServeCommand } from './serve.ts';
import { addTokenCommands } from './token.ts';

/** Makes a command with what all of them take. */
export type NewCommand = (parent: Command, name: string, description: string) => Command;

/** An empty name would be the folder in which the command is run. */
function readFolder(text: string): string {
  if (text !== '') return text;
  throw new UsageError('--data takes a folder, such as ./data');
}

function createProgram(env: Readonly<Record<string, string | undefined>>): Command {
  const program = new Command('rollcall')
    .description('One directory of contact center users, answering as Convoso, Voiso and Smartflo.')
    .version(VERSION)
    .configureOutput({ outputError: () => {} })
    .exitOverride();
  const newCommand: NewCommand = (parent, name, description) =>
    parent
      .command(name)
      .description(description)
      .addOption(
        new Option('--data <dir>', 'folder that holds everything (or ROLLCALL_DATA)')
          .default(defaultData(env))
          .argParser(readFolder),
      )
      .addOption(
        new Option(
          '--database-url <url>',
          'PostgreSQL that holds everything but audio (or ROLLCALL_DATABASE_URL, which no list of processes shows)',
        ).default(defaultDatabaseUrl(env), 'that of the environment'),
      )
      .option('--json', 'one JSON document on stdout')
      .configureOutput({ outputError: () => {} })
      .exitOverride();
  const addMediaOptions = createMediaOptions(env);
  const newMediaCommand: NewCommand = (...args) => addMediaOptions(newCommand(...args), '--media');
  addServeCommand(program, newMediaCommand, env);
  addDemoCommand(program, newMediaCommand);
  addContactCenterCommands(program, newCommand);
  addTokenCommands(program, newCommand);
  addImportCommand(program, newCommand);
  addExportCommand(program, newCommand, env);
  addRecordingsCommands(program, newCommand, addMediaOptions);
  addAuditCommands(program, newCommand);
  addBackupCommand(program, newCommand, env);
  addRestoreCommand(program, newCommand, env);
  addDbCommands(program, newCommand);
  addDoctorCommand(program, newMediaCommand);
  return program;
}

/** What was used wrongly, and where the command that was meant tells of itself. */
function usage(message: string, program: Command, argv: readonly string[]): string {
  const words = [program.name()];
  let command = program;
  for (const word of argv.slice(2)) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    command = next;
    words.push(word);
  }
  return `${message.replace(/^error: /, '').replaceAll('\n', ' ')} (see ${words.join(' ')} --help)`;
}

/** A URL that names a user or a password, wherever in an argument it begins. */
const WITH_SECRET = /:\/\/(?=.*@|.*[?&]password=)(.+)/s;

/** A message without what a URL on the command line holds: whoever mistakes its place is told, and nothing of it. */
function withoutSecrets(message: string, argv: readonly string[]): string {
  const secrets = argv.flatMap((argument) => WITH_SECRET.exec(argument)?.[1] ?? []);
  return secrets.reduce((text, secret) => text.replaceAll(secret, '...'), message);
}

/** Runs one command. Gives the exit code: 0, 1 where it failed, 2 where it was used wrongly. */
export async function runCli(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const program = createProgram(env);
  const tell = (message: string) => process.stderr.write(`rollcall: ${withoutSecrets(message, argv)}\n`);
  try {
    await program.parseAsync(argv);
    return typeof process.exitCode === 'number' ? process.exitCode : 0;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      // Asked for nothing at all, commander prints its help and says so without a message.
      if (error.code !== 'commander.help') tell(usage(error.message, program, argv));
      return 2;
    }
    if (error instanceof UsageError) {
      tell(usage(error.message, program, argv));
      return 2;
    }
    if (error instanceof Failure) {
      tell(error.message);
      return 1;
    }
    reportBug(error);
    return 1;
  }
}

/** Tells of an unexpected error, with nothing of what was worked on. */
export function reportBug(error: unknown): void {
  const { type, at } = describeBug(error);
  process.stderr.write(
    `rollcall: this is a bug in Rollcall, please report it: ${[type, ...at].join('\n    ')}\n`,
  );
}

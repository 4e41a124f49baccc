import type { Command } from 'commander';
import { Failure } from '../../errors.ts';
import { type Archived, archive, planArchive } from '../../recordings/archive.ts';
import { restore } from '../../recordings/move.ts';
import { print } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { type DryRunFlags, eachInTurn, paceOf, planEach, withLetting } from './letting.ts';
import { type NumberFlags, needRecording, numberArgument } from './one.ts';

/** What of an archiving somebody has to look after. */
function problemsOf({ lost, damaged, leftover }: Archived): string[] {
  return [
    ...(lost > 0 ? [`the audio of ${lost} is not where it should be`] : []),
    ...(damaged > 0 ? [`the audio of ${damaged} is not what came in`] : []),
    ...(leftover.left > 0
      ? [`${leftover.left} copies are still to be removed: ${leftover.failure?.message}`]
      : []),
  ];
}

async function runArchive(flags: DryRunFlags): Promise<void> {
  await withLetting(flags, async ({ deps, contactCenters }) => {
    const plans = await planEach(
      flags,
      contactCenters,
      (each) => planArchive(deps, each, paceOf()),
      ({ recordings, bytes }) => `${recordings} would move to the archive, ${bytes} bytes`,
    );
    if (plans === null) return;
    const total = [...plans.values()].reduce((all, { recordings }) => all + recordings, 0);
    const due = contactCenters.filter(({ name }) => (plans.get(name)?.recordings ?? 0) > 0);
    const results = await eachInTurn(due, total, 'moved', async (each, pace) => {
      const result = await archive(deps, each, pace);
      return { done: result.moved, result };
    });
    const documents = contactCenters.map((each) => {
      const done = results.get(each);
      return {
        contactCenter: each.name,
        moved: done?.moved ?? 0,
        bytes: done?.bytes ?? 0,
        changed: done?.changed ?? 0,
        lost: done?.lost ?? 0,
        damaged: done?.damaged ?? 0,
        left: done?.leftover.left ?? 0,
      };
    });
    print(
      flags.json === true,
      { dryRun: false, contactCenters: documents },
      documents.map(({ contactCenter, moved, bytes }) => `${contactCenter}: ${moved} moved, ${bytes} bytes`),
    );
    for (const [{ name }, archived] of results) {
      for (const problem of problemsOf(archived)) {
        process.exitCode = 1;
        process.stderr.write(`rollcall: ${name}: ${problem}; see rollcall recordings sweep\n`);
      }
    }
  });
}

async function runRestore(number: number, flags: NumberFlags): Promise<void> {
  await withLetting(flags, async ({ store, deps }) => {
    const { contactCenter, recording } = await needRecording(store, flags, number);
    const { failure } = await restore(deps, contactCenter, recording, { kind: 'cli' });
    print(flags.json === true, { contactCenter: contactCenter.name, number, state: 'stored' }, [
      `recording ${number} is back`,
    ]);
    if (failure !== null)
      throw new Failure('unavailable', `its copy in the archive stays: ${failure.message}`);
  });
}

/** `recordings archive` and `recordings restore`. */
export function addArchiveCommands(parent: Command, newMediaCommand: NewCommand): void {
  newMediaCommand(parent, 'archive', 'move audio that is old enough to the archive; serve does so too')
    .option('--contact-center <name>', 'only of this one')
    .option('--dry-run', 'tell what would move and leave it')
    .action(runArchive);
  newMediaCommand(parent, 'restore', 'bring the audio of a recording back from the archive')
    .argument('<number>', "the recording's number", numberArgument)
    .requiredOption('--contact-center <name>', 'whose; needed')
    .action(runRestore);
}

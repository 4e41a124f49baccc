import type { Command } from 'commander';
import { removeAllLeftovers } from '../../recordings/leftovers.ts';
import { type PurgePlan, planPurge, purge } from '../../recordings/purge.ts';
import { print } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { type DryRunFlags, eachInTurn, paceOf, planEach, withLetting } from './letting.ts';

const sum = (plans: Iterable<PurgePlan>) =>
  [...plans].reduce((all, each) => all + each.ownEnd + each.retention, 0);

async function runPurge(flags: DryRunFlags): Promise<void> {
  await withLetting(flags, async ({ deps, contactCenters }) => {
    const plans = await planEach(
      flags,
      contactCenters,
      (each) => planPurge(deps, each, paceOf()),
      ({ ownEnd, retention, bytes, held }) =>
        `${ownEnd + retention} would be purged (${retention} by retention, ${ownEnd} by their own end), ${bytes} bytes; ${held} under legal hold`,
    );
    if (plans === null) return;
    const results = await eachInTurn(contactCenters, sum(plans.values()), 'purged', async (each, pace) => {
      // What an earlier purge or a DELETE could not remove is no recording's any more: nothing else finds it.
      const earlier = await removeAllLeftovers(deps, each, pace);
      const result = await purge(deps, each, pace);
      return { done: result.purged, result: { ...result, earlier } };
    });
    const documents = [...results].map(([{ name }, { purged, bytes, left, failure, earlier }]) => ({
      contactCenter: name,
      purged,
      bytes,
      removed: earlier.removed,
      left: left + earlier.left,
      failure: (failure ?? earlier.failure)?.message ?? null,
    }));
    print(
      flags.json === true,
      { dryRun: false, contactCenters: documents },
      documents.map(
        ({ contactCenter, purged, bytes, removed }) =>
          `${contactCenter}: ${purged} purged, ${bytes} bytes${removed === 0 ? '' : `; audio of ${removed} purged before is gone now`}`,
      ),
    );
    for (const { contactCenter, left, failure } of documents) {
      if (left === 0) continue;
      process.exitCode = 1;
      process.stderr.write(
        `rollcall: ${contactCenter}: audio of ${left} is still to be removed: ${failure}\n`,
      );
    }
  });
}

/** `recordings purge`. */
export function addPurgeCommand(parent: Command, newMediaCommand: NewCommand): void {
  newMediaCommand(parent, 'purge', 'let go of recordings that are past their retention; serve does so too')
    .option('--contact-center <name>', 'only of this one')
    .option('--dry-run', 'tell what would go and keep it')
    .action(runPurge);
}

import type { Command } from 'commander';
import { type SweepOptions, sweep, sweepUnfinished } from '../../recordings/sweep.ts';
import { sweepStrangers } from '../../recordings/sweep-strangers.ts';
import { wholeFlag } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { startProgress } from '../progress.ts';
import { type LettingFlags, paceOf, withLetting } from './letting.ts';
import { SweepReport } from './sweep-report.ts';

const MINUTE = 60_000;

/** Why audio of contact centers that are not known is not removed. */
const NOTHING_KNOWN = 'no recording that is known has audio there; are --data and --media the right ones?';
const TOO_MUCH_LOST = 'nothing is removed while so many recordings are lost';

interface SweepFlags extends LettingFlags {
  readonly mend?: boolean;
  readonly checksums?: boolean;
  readonly graceMinutes: number;
  readonly pendingHours: number;
  readonly mostLost?: number;
}

const optionsOf = (flags: SweepFlags): SweepOptions => ({
  mend: flags.mend === true,
  checksums: flags.checksums === true,
  grace: flags.graceMinutes * MINUTE,
  pendingLife: flags.pendingHours * 60 * MINUTE,
  mostLost: flags.mostLost ?? null,
});

async function runSweep(flags: SweepFlags): Promise<void> {
  const options = optionsOf(flags);
  await withLetting(flags, async ({ store, deps, contactCenters }) => {
    const progress = startProgress(null, 'recordings looked at');
    const report = new SweepReport(flags, (line) => progress.tell(line));
    let spares: string | null = NOTHING_KNOWN;
    try {
      for (const contactCenter of contactCenters) {
        const { name } = contactCenter;
        const pace = paceOf((done) => progress.update(done, name));
        const swept = await sweep(deps, contactCenter, options, pace, (finding) =>
          report.add(name, { contactCenter: name }, finding),
        );
        report.end(name, swept);
        if (swept.isAstray) spares = TOO_MUCH_LOST;
        else if (spares === NOTHING_KNOWN && swept.looked > swept.lost) spares = null;
      }
      if (flags.contactCenter === undefined) {
        await sweepStrangers({
          deps,
          contactCenters: () => store.access.contactCenters(),
          options,
          spares,
          pace: paceOf(),
          onFinding: (id, finding) =>
            report.add(`unknown contact center ${id}`, { contactCenter: null, contactCenterId: id }, finding),
        });
        report.endOthers();
      }
      const unfinished = await sweepUnfinished(deps, options);
      report.count('unfinished', unfinished.main + unfinished.archive, options.mend);
    } finally {
      progress.stop();
    }
    if (!report.print(options.mend)) process.exitCode = 1;
  });
}

/** `recordings sweep`. */
export function addSweepCommand(parent: Command, newMediaCommand: NewCommand): void {
  newMediaCommand(parent, 'sweep', 'find what does not agree between recordings and audio')
    .option('--contact-center <name>', 'only of this one')
    .option('--mend', 'mend what is found; without it nothing is changed')
    .option('--checksums', 'read all audio and compare its checksum')
    .option(
      '--grace-minutes <n>',
      'what is younger may still be under way',
      wholeFlag('--grace-minutes', 0, 525_600),
      60,
    )
    .option(
      '--pending-hours <n>',
      'how long audio may take to come after its recording was announced',
      wholeFlag('--pending-hours', 0, 8760),
      24,
    )
    .option(
      '--most-lost <n>',
      'give up so many lost recordings at most; where it is not given, 100 and less than nine of ten',
      wholeFlag('--most-lost', 0, 1_000_000_000),
    )
    .action(runSweep);
}

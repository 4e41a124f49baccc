import type { Command } from 'commander';
import {
  FINDING_KINDS,
  type FindingKind,
  type SweepFinding,
  type SweepOptions,
  sweep,
  sweepUnfinished,
} from '../../recordings/sweep.ts';
import { print, wholeFlag } from '../output.ts';
import type { NewCommand } from '../program.ts';
import { startProgress } from '../progress.ts';
import { type LettingFlags, paceOf, withLetting } from './letting.ts';

const MINUTE = 60_000;

interface SweepFlags extends LettingFlags {
  readonly mend?: boolean;
  readonly checksums?: boolean;
  readonly graceMinutes: number;
  readonly pendingHours: number;
  readonly mostLost: number;
}

const optionsOf = (flags: SweepFlags): SweepOptions => ({
  mend: flags.mend === true,
  checksums: flags.checksums === true,
  grace: flags.graceMinutes * MINUTE,
  pendingLife: flags.pendingHours * 60 * MINUTE,
  mostLost: flags.mostLost,
});

const WHAT: Readonly<Record<FindingKind, string>> = {
  unfinished: 'a file that never became whole',
  move: 'a move that was given up',
  leftover: 'audio that was to be removed',
  pending: 'its audio never came',
  orphan: 'audio that belongs to no recording',
  misplaced: 'its audio lies elsewhere than is known',
  lost: 'its audio is lost',
  damaged: 'its audio is damaged',
};

function lineOf(contactCenter: string, { kind, number, id, tier, isMended, reason }: SweepFinding): string {
  const whose = number === null ? '' : ` recording ${number}:`;
  const where = id === null ? '' : ` (${tier === null ? '' : `${tier} `}${id})`;
  const end = isMended ? ': mended' : reason === null ? '' : `: ${reason}`;
  return `${contactCenter}:${whose} ${WHAT[kind]}${where}${end}`;
}

async function runSweep(flags: SweepFlags): Promise<void> {
  const options = optionsOf(flags);
  await withLetting(flags, async ({ deps, contactCenters }) => {
    const counts = new Map<FindingKind, { found: number; mended: number }>();
    const findings: (SweepFinding & { readonly contactCenter: string })[] = [];
    const progress = startProgress(null, 'recordings looked at');
    const count = (kind: FindingKind, found: number, mended: number) => {
      const before = counts.get(kind) ?? { found: 0, mended: 0 };
      counts.set(kind, { found: before.found + found, mended: before.mended + mended });
    };
    try {
      for (const contactCenter of contactCenters) {
        const { name } = contactCenter;
        const pace = paceOf((done) => progress.update(done, name));
        await sweep(deps, contactCenter, options, pace, (finding) => {
          count(finding.kind, 1, finding.isMended ? 1 : 0);
          if (flags.json === true) findings.push({ contactCenter: name, ...finding });
          else progress.tell(lineOf(name, finding));
        });
      }
      const unfinished = await sweepUnfinished(deps, options);
      const all = unfinished.main + unfinished.archive;
      if (all > 0) count('unfinished', all, options.mend ? all : 0);
    } finally {
      progress.stop();
    }
    const told = FINDING_KINDS.flatMap((kind) => {
      const found = counts.get(kind);
      return found === undefined ? [] : [[kind, found] as const];
    });
    const isWell = told.every(([, { found, mended }]) => found === mended);
    print(
      flags.json === true,
      {
        ok: isWell,
        mend: options.mend,
        counts: Object.fromEntries(told),
        findings: findings.map(({ isMended, ...rest }) => ({ ...rest, mended: isMended })),
      },
      told.length === 0
        ? ['all is well']
        : told.map(
            ([kind, { found, mended }]) => `${found} ${kind}${options.mend ? `, ${mended} mended` : ''}`,
          ),
    );
    if (!isWell) process.exitCode = 1;
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
      'where more are lost, the media folder may be the wrong one: then none is given up',
      wholeFlag('--most-lost', 0, 1_000_000_000),
      100,
    )
    .action(runSweep);
}

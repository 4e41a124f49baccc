import { FINDING_KINDS, type FindingKind, type SweepFinding, type Swept } from '../../recordings/sweep.ts';
import { print } from '../output.ts';
import type { LettingFlags } from './letting.ts';

/** Findings of one kind and contact center that get a line each. */
const MOST_LINES = 20;

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

function lineOf(whose: string, { kind, number, id, tier, isMended, reason }: SweepFinding): string {
  const which = number === null ? '' : ` recording ${number}:`;
  const where = id === null ? '' : ` (${tier === null ? '' : `${tier} `}${id})`;
  const end = isMended ? ': mended' : reason === null ? '' : `: ${reason}`;
  return `${whose}:${which} ${WHAT[kind]}${where}${end}`;
}

/** Whose a finding is, in the JSON document: a contact center that is known, or the id of one that is not. */
type Whose =
  | { readonly contactCenter: string }
  | { readonly contactCenter: null; readonly contactCenterId: number };

/** What a sweep tells while it goes on and when it ends. */
export class SweepReport {
  readonly #flags: LettingFlags;
  readonly #tell: (line: string) => void;
  readonly #counts = new Map<FindingKind, { found: number; mended: number }>();
  readonly #findings: object[] = [];
  readonly #astray: object[] = [];
  /** How many of each kind were found, and lines that wait: one line may stand for all that are lost. */
  #ofOne = new Map<FindingKind, { found: number; lines: string[] }>();

  constructor(flags: LettingFlags, tell: (line: string) => void) {
    this.#flags = flags;
    this.#tell = tell;
  }

  add(name: string, whose: Whose, finding: SweepFinding): void {
    const { kind, isMended, ...rest } = finding;
    this.count(kind, 1, isMended);
    if (this.#flags.json === true) {
      this.#findings.push({ ...whose, kind, ...rest, mended: isMended });
      return;
    }
    const before = this.#ofOne.get(kind) ?? { found: 0, lines: [] };
    before.found += 1;
    this.#ofOne.set(kind, before);
    if (before.found > MOST_LINES) return;
    if (kind === 'lost') before.lines.push(lineOf(name, finding));
    else this.#tell(lineOf(name, finding));
  }

  count(kind: FindingKind, found: number, isMended: boolean): void {
    if (found === 0) return;
    const before = this.#counts.get(kind) ?? { found: 0, mended: 0 };
    this.#counts.set(kind, {
      found: before.found + found,
      mended: before.mended + (isMended ? found : 0),
    });
  }

  /** Told when all of a contact center was looked at. */
  end(name: string, { looked, lost, isAstray }: Swept): void {
    if (isAstray) {
      this.#astray.push({ contactCenter: name, looked, lost });
      this.#ofOne.delete('lost');
      if (this.#flags.json !== true) this.#tell(this.#astrayLine(name, looked, lost));
    }
    this.#endLines(name);
  }

  /** Told when all of contact centers that are not known was looked at. */
  endOthers(): void {
    this.#endLines('unknown contact centers');
  }

  #astrayLine(name: string, looked: number, lost: number): string {
    const right = this.#flags.archiveMedia === undefined ? 'is --media' : 'are --media and --archive-media';
    return `${name}: the audio of ${lost} of ${looked} recordings is not there: ${right} right? None is given up, and no audio removed, but with --mend --most-lost ${lost}`;
  }

  #endLines(name: string): void {
    for (const [kind, { found, lines }] of this.#ofOne) {
      for (const line of lines) this.#tell(line);
      if (found > MOST_LINES) this.#tell(`${name}: and ${found - MOST_LINES} more: ${WHAT[kind]}`);
    }
    this.#ofOne = new Map();
  }

  /** Prints what was found in all. Gives whether nothing is left to be mended. */
  print(mend: boolean): boolean {
    const told = FINDING_KINDS.flatMap((kind) => {
      const found = this.#counts.get(kind);
      return found === undefined ? [] : [[kind, found] as const];
    });
    const isWell = told.every(([, { found, mended }]) => found === mended);
    print(
      this.#flags.json === true,
      {
        ok: isWell,
        mend,
        counts: Object.fromEntries(told),
        astray: this.#astray,
        findings: this.#findings,
      },
      told.length === 0
        ? ['all is well']
        : told.map(([kind, { found, mended }]) => `${found} ${kind}${mend ? `, ${mended} mended` : ''}`),
    );
    return isWell;
  }
}

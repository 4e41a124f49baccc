import type { ContactCenter } from '../access/contact-center.ts';
import { removeLeftovers } from './leftovers.ts';
import { dueBatches, type LettingDeps, type Pace } from './letting.ts';
import { TIERS, type Tier } from './media.ts';
import { begunAt } from './move.ts';
import { dropPending } from './pending.ts';
import { nameOf, sweepFiles } from './sweep-files.ts';
import { findMissing, tellMissing } from './sweep-rows.ts';

/**
 * What a sweep finds.
 * `unfinished`: a file that never became whole. `move`: a copy that was given up. `leftover`: audio whose
 * removal was broken off. `pending`: a recording whose audio never came. `orphan`: audio that belongs to no
 * recording. `misplaced`: a recording whose audio lies elsewhere than its row says, found by its checksum.
 * `lost`: a recording whose audio is nowhere. `damaged`: one whose audio has another size or checksum.
 */
export const FINDING_KINDS = [
  'unfinished',
  'move',
  'leftover',
  'pending',
  'orphan',
  'misplaced',
  'lost',
  'damaged',
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

export interface SweepFinding {
  readonly kind: FindingKind;
  /** The recording's number, where there is one. */
  readonly number: number | null;
  /** The UUID of the audio. */
  readonly id: string | null;
  readonly tier: Tier | null;
  readonly isMended: boolean;
  /** Why it is not mended; null where it is, or was not to be. */
  readonly reason: string | null;
}

export interface SweepOptions {
  /** Whether to mend what is found. */
  readonly mend: boolean;
  /** Whether all audio is read and its checksum compared. */
  readonly checksums: boolean;
  /** What is younger than this may still be under way, in milliseconds: moves, audio without a recording. */
  readonly grace: number;
  /** How long somebody may take to send audio for a recording that was announced, in milliseconds. */
  readonly pendingLife: number;
  /**
   * How many lost recordings are given up at most; null where nobody said. Where more are lost, the place may be
   * the wrong one, and nothing is given up or removed.
   */
  readonly mostLost: number | null;
}

/** What a sweep of a contact center came to. */
export interface Swept {
  /** Recordings whose audio was looked for. */
  readonly looked: number;
  /** Those of them whose audio is nowhere. */
  readonly lost: number;
  /** So much is lost that the place may be the wrong one. */
  readonly isAstray: boolean;
}

/** What a finding says where it says nothing of it. */
export const NOTHING_SAID = { number: null, id: null, tier: null, isMended: false, reason: null } as const;

/** A sweep of a contact center that is under way. */
export interface Sweeping {
  readonly deps: LettingDeps;
  readonly contactCenter: ContactCenter;
  readonly options: SweepOptions;
  readonly pace: Pace;
  readonly tell: (finding: Pick<SweepFinding, 'kind'> & Partial<SweepFinding>) => void;
}

/** Looks for what does not agree between recordings and audio in a contact center, and mends it if told to. */
export async function sweep(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  options: SweepOptions,
  pace: Pace,
  onFinding: (finding: SweepFinding) => void,
): Promise<Swept> {
  const sweeping: Sweeping = {
    deps,
    contactCenter,
    options,
    pace,
    tell: (finding) => onFinding({ ...NOTHING_SAID, ...finding }),
  };
  await sweepMoves(sweeping);
  const left = await sweepLeftovers(sweeping);
  await sweepPending(sweeping);
  const missing = await findMissing(sweeping);
  for (const tier of TIERS) {
    const place = deps.places[tier];
    if (place !== null) await sweepFiles(sweeping, tier, place, left, missing);
  }
  const { looked, lost } = missing;
  const isAstray = missing.isAstray(options.mostLost);
  for (const each of missing.all()) await tellMissing(sweeping, each, isAstray);
  return { looked, lost, isAstray };
}

/** Looks for files that never became whole, whosever they would have been. Gives how many, by tier. */
export async function sweepUnfinished(
  { places, now }: LettingDeps,
  { mend, grace }: Pick<SweepOptions, 'mend' | 'grace'>,
): Promise<Readonly<Record<Tier, number>>> {
  const before = now() - grace;
  const [main = 0, archive = 0] = await Promise.all(
    TIERS.map((tier) =>
      mend ? places[tier]?.dropUnfinished(before) : places[tier]?.countUnfinished(before),
    ),
  );
  return { main, archive };
}

async function sweepMoves({ deps, contactCenter, options, pace, tell }: Sweeping): Promise<void> {
  for (let after = 0; !pace.signal.aborted; ) {
    const page = await deps.store.moving(contactCenter, after, pace.batch);
    const last = page.at(-1);
    if (last === undefined) return;
    for (const { recording, move } of page) {
      if (move === null || begunAt(move) > deps.now() - options.grace) continue;
      const { number } = recording;
      const isMended = options.mend && (await deps.store.callOffMove(contactCenter, number, move));
      tell({ kind: 'move', number, ...move, isMended });
    }
    after = last.recording.number;
  }
}

/** Gives the audio that stays left over, as "tier:UUID". */
async function sweepLeftovers(sweeping: Sweeping): Promise<ReadonlySet<string>> {
  const { deps, contactCenter, options, pace, tell } = sweeping;
  const left = new Set<string>();
  for (let after = 0; !pace.signal.aborted; ) {
    const page = await deps.store.leftovers(contactCenter, after, pace.batch);
    const last = page.at(-1);
    if (last === undefined) break;
    const failure = options.mend ? (await removeLeftovers(deps, contactCenter, page)).failure : null;
    const outcome = { isMended: options.mend && failure === null, reason: failure?.message ?? null };
    for (const { number, copies } of page) {
      for (const copy of copies) {
        tell({ kind: 'leftover', number, ...copy, ...outcome });
        if (!outcome.isMended) left.add(nameOf(copy));
      }
    }
    after = last.number;
    await pace.pause();
  }
  return left;
}

async function sweepPending({ deps, contactCenter, options, pace, tell }: Sweeping): Promise<void> {
  const until = deps.now() - options.pendingLife;
  for await (const batch of dueBatches(deps, contactCenter, 'pending', until, pace)) {
    for (const recording of batch) {
      const { number, mediaId: id } = recording;
      const isHeld = recording.legalHold;
      const discarded =
        options.mend && !isHeld ? await dropPending(deps, contactCenter, recording, pace.actor) : null;
      const reason = isHeld || discarded === 'held' ? 'it is under legal hold; end that first' : null;
      tell({ kind: 'pending', number, id, isMended: discarded === 'dropped', reason });
    }
  }
}

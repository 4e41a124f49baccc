import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { ContactCenter } from '../access/contact-center.ts';
import { describeBug, Failure } from '../errors.ts';
import { archive } from '../recordings/archive.ts';
import { forgetKeys } from '../recordings/keys.ts';
import { removeAllLeftovers } from '../recordings/leftovers.ts';
import type { Due, LettingDeps, Pace } from '../recordings/letting.ts';
import { TIERS } from '../recordings/media.ts';
import { callOffMoves, MOVE_LIFE } from '../recordings/move.ts';
import { dropGivenUp } from '../recordings/pending.ts';
import type { Lease } from '../recordings/ports.ts';
import { PENDING_LIFE, purge } from '../recordings/purge.ts';
import { archivedFrom, retentionEndedFor } from '../recordings/retention.ts';

/** Times in milliseconds. */
export interface Rhythm {
  /** Until the first round: a start is not to wait for it. */
  readonly first: number;
  /** Between the end of a round and the next. */
  readonly between: number;
  /** Between two looks whether the process that does it is gone. */
  readonly look: number;
  /** Between two batches, in which others can write. */
  readonly pause: number;
  /** Recordings in a batch. */
  readonly batch: number;
}

/** A batch of 50 keeps others from writing for some 10 ms, and for as long as the disk takes. */
export const RHYTHM: Rhythm = { first: 2000, between: 600_000, look: 10_000, pause: 20, batch: 50 };

/** How often a round tries to wipe what was let go from the store's log, and the time between, in milliseconds. */
const WIPES = 30;
const WIPE_AGAIN = 1000;

/** How long an upload may take, in milliseconds. */
const UPLOAD_LIFE = 86_400_000;

/** One line of facts: numbers and names of contact centers, nothing of people. */
export type LogFacts = (facts: Readonly<Record<string, unknown>>) => void;

export interface LettingJobDeps {
  readonly letting: LettingDeps;
  readonly contactCenters: () => Promise<readonly ContactCenter[]>;
  readonly log: LogFacts;
}

/** What the job does each time. */
export interface Rounds {
  /** Who holds it does the rounds; all others only look whether it has come free. */
  readonly lease: Lease;
  /** Whether there is anything to do: asked where requests are answered, it must cost little. */
  isDue(): Promise<boolean>;
  /** Does it, wherever; resolves soon after the signal at the latest. */
  run(signal: AbortSignal): Promise<void>;
  readonly log: LogFacts;
}

/** The job, under way. */
export interface LettingJob {
  /** Resolves when the batch under way is done. */
  stop(): Promise<void>;
}

/** Lets recordings go in the background, round after round. */
export function startLettingJob(rounds: Rounds, rhythm: Rhythm = RHYTHM): LettingJob {
  const ended = new AbortController();
  const { signal } = ended;
  const running = (async () => {
    for (let wait = rhythm.first; ; ) {
      // Waiting for a round keeps no process alive that has nothing else to do.
      await sleep(wait, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) break;
      wait = rhythm.look;
      await guarded(rounds.log, {}, async () => {
        const lost = await rounds.lease.take();
        if (lost === null) return;
        wait = rhythm.between;
        const over = AbortSignal.any([signal, lost]);
        // It may have been stopped meanwhile, and a round is told of that only when it comes later.
        if ((await rounds.isDue()) && !over.aborted) await rounds.run(over);
      });
    }
    await rounds.lease.release();
  })();
  return {
    stop: () => {
      ended.abort();
      return running;
    },
  };
}

/** How the job goes on within a round. */
export function jobPace({ pause, batch }: Rhythm, signal: AbortSignal): Pace {
  return {
    actor: { kind: 'job' },
    batch,
    pause: () => sleep(pause, undefined, { signal }).catch(() => {}),
    onProgress: () => {},
    signal,
  };
}

/** Whether a round would find anything to do, by a few keyed reads for each contact center. */
export async function isAnythingDue({ letting, contactCenters }: LettingJobDeps): Promise<boolean> {
  const { store, places, now } = letting;
  for (const contactCenter of await contactCenters()) {
    const due = async (kind: Due, until: number) =>
      (await store.due(contactCenter, kind, until, null, 1)).recordings.length > 0;
    const archived = archivedFrom(contactCenter, now());
    if (
      (await store.leftovers(contactCenter, 0, 1)).length > 0 ||
      (await store.moving(contactCenter, 0, 1)).length > 0 ||
      (await due('own-end', now())) ||
      (await due('key', now())) ||
      (await due('given-up', now() - PENDING_LIFE)) ||
      (await due('retention', retentionEndedFor(contactCenter, now()))) ||
      (places.archive !== null && archived !== null && (await due('archive', archived)))
    ) {
      return true;
    }
    // Others get their turn: there may be many contact centers.
    await nextTurn();
  }
  const old = now() - UPLOAD_LIFE;
  const counts = TIERS.map(async (tier) => (await places[tier]?.countUnfinished(old)) ?? 0);
  return (await Promise.all(counts)).some((count) => count > 0);
}

/** One round over all contact centers; a failure of one is told and does not keep the others from theirs. */
export async function runRound(deps: LettingJobDeps, pace: Pace): Promise<void> {
  await guarded(deps.log, {}, async () => {
    for (const contactCenter of await deps.contactCenters()) {
      if (pace.signal.aborted) return;
      await guarded(deps.log, { contactCenter: contactCenter.name }, () => letGo(deps, contactCenter, pace));
    }
    await wipe(deps, pace);
    const { places, now } = deps.letting;
    for (const tier of TIERS) await places[tier]?.dropUnfinished(now() - UPLOAD_LIFE);
  });
}

/** Once more after all, for who deletes, drops and forgets: a round comes only where there is something to let go. */
async function wipe({ letting, log }: LettingJobDeps, pace: Pace): Promise<void> {
  for (let left = WIPES; left > 0 && !pace.signal.aborted; left -= 1) {
    if (await letting.store.wipe()) return;
    await sleep(WIPE_AGAIN, undefined, { signal: pace.signal }).catch(() => {});
  }
  if (pace.signal.aborted) return;
  log({
    job: 'letting',
    failure: "the store's log is in use; what was let go can be read in it until later",
  });
}

async function letGo(
  { letting, log }: LettingJobDeps,
  contactCenter: ContactCenter,
  pace: Pace,
): Promise<void> {
  const start = letting.now();
  await callOffMoves(letting, contactCenter, MOVE_LIFE, pace);
  const leftovers = await removeAllLeftovers(letting, contactCenter, pace);
  const dropped = await dropGivenUp(letting, contactCenter, pace);
  const purged = await purge(letting, contactCenter, pace);
  const keys = await forgetKeys(letting, contactCenter, pace);
  const isArchiving = letting.places.archive !== null && archivedFrom(contactCenter, letting.now()) !== null;
  const archived = isArchiving ? await archive(letting, contactCenter, pace) : null;
  const failure = purged.failure ?? leftovers.failure ?? archived?.leftover.failure ?? null;
  const counts = {
    purged: purged.purged,
    archived: archived?.moved ?? 0,
    removed: leftovers.removed,
    dropped,
    keys,
    lost: archived?.lost ?? 0,
    damaged: archived?.damaged ?? 0,
  };
  if (failure === null && Object.values(counts).every((count) => count === 0)) return;
  log({
    job: 'letting',
    contactCenter: contactCenter.name,
    ...counts,
    milliseconds: letting.now() - start,
    ...(failure === null ? {} : { failure: failure.message }),
  });
}

async function guarded(
  log: LogFacts,
  whose: { readonly contactCenter?: string },
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const told = error instanceof Failure ? { failure: error.message } : { bug: describeBug(error) };
    log({ job: 'letting', ...whose, ...told });
  }
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { ContactCenter } from '../access/contact-center.ts';
import { describeBug, Failure } from '../errors.ts';
import { archive } from '../recordings/archive.ts';
import { removeAllLeftovers } from '../recordings/leftovers.ts';
import type { LettingDeps, Pace } from '../recordings/letting.ts';
import { TIERS } from '../recordings/media.ts';
import { callOffMoves, MOVE_LIFE } from '../recordings/move.ts';
import { purge } from '../recordings/purge.ts';
import { archivedFrom } from '../recordings/retention.ts';

/** Times in milliseconds. */
export interface Rhythm {
  /** Until the first round: a start is not to wait for it. */
  readonly first: number;
  /** Between the end of a round and the next. */
  readonly between: number;
  /** Between two batches, in which requests have the process to themselves. */
  readonly pause: number;
  /** Recordings in a batch. */
  readonly batch: number;
}

/** A batch of 50 takes the store some 10 ms, during which no request is answered. */
export const RHYTHM: Rhythm = { first: 2000, between: 600_000, pause: 20, batch: 50 };

/** How long an upload may take, in milliseconds. */
const UPLOAD_LIFE = 86_400_000;

/** The job, under way. */
export interface LettingJob {
  stop(): Promise<void>;
}

export interface LettingJobDeps {
  readonly letting: LettingDeps;
  readonly contactCenters: () => Promise<readonly ContactCenter[]>;
  /** One line of facts: numbers and names of contact centers, nothing of people. */
  readonly log: (facts: Readonly<Record<string, unknown>>) => void;
}

/**
 * Lets recordings go in the background: purges what is past its retention, archives what is old enough, and
 * ends what a crash broke off. `stop` resolves when the batch under way is done.
 */
export function startLettingJob(deps: LettingJobDeps, rhythm: Rhythm = RHYTHM): LettingJob {
  const ended = new AbortController();
  const { signal } = ended;
  const pace: Pace = {
    actor: { kind: 'job' },
    batch: rhythm.batch,
    pause: () => sleep(rhythm.pause, undefined, { signal }).catch(() => {}),
    onProgress: () => {},
    signal,
  };
  const running = (async () => {
    for (let wait = rhythm.first; ; wait = rhythm.between) {
      // Waiting for a round keeps no process alive that has nothing else to do.
      await sleep(wait, undefined, { signal, ref: false }).catch(() => {});
      if (signal.aborted) return;
      await runRound(deps, pace);
    }
  })();
  return {
    stop: () => {
      ended.abort();
      return running;
    },
  };
}

/** One round over all contact centers; a failure of one is told and does not keep the others from theirs. */
export async function runRound(deps: LettingJobDeps, pace: Pace): Promise<void> {
  await guarded(deps, {}, async () => {
    for (const contactCenter of await deps.contactCenters()) {
      if (pace.signal.aborted) return;
      await guarded(deps, { contactCenter: contactCenter.name }, () => letGo(deps, contactCenter, pace));
    }
    const { places, now } = deps.letting;
    for (const tier of TIERS) await places[tier]?.dropUnfinished(now() - UPLOAD_LIFE);
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
  const purged = await purge(letting, contactCenter, pace);
  const isArchiving = letting.places.archive !== null && archivedFrom(contactCenter, letting.now()) !== null;
  const archived = isArchiving ? await archive(letting, contactCenter, pace) : null;
  const failure = purged.failure ?? leftovers.failure ?? archived?.leftover.failure ?? null;
  const counts = {
    purged: purged.purged,
    archived: archived?.moved ?? 0,
    removed: leftovers.removed,
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
  { log }: LettingJobDeps,
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

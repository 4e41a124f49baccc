import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ContactCenter } from '../../access/contact-center.ts';
import { SURROUNDINGS } from '../../app.ts';
import type { MediaFlags } from '../../config/media.ts';
import type { LettingDeps, Pace } from '../../recordings/letting.ts';
import type { Store } from '../../store/open.ts';
import { type CommonOptions, needContactCenter, withPlaces, withStore } from '../context.ts';
import { print } from '../output.ts';
import { type Progress, startProgress } from '../progress.ts';

/** What commands that let recordings go take. */
export interface LettingFlags extends CommonOptions, MediaFlags {
  readonly contactCenter?: string;
}

export interface DryRunFlags extends LettingFlags {
  readonly dryRun?: boolean;
}

/** What those commands work with. */
export interface Letting {
  readonly store: Store;
  readonly deps: LettingDeps;
  /** The one that was named, else all. */
  readonly contactCenters: readonly ContactCenter[];
}

/** Recordings in a batch: a server on the same store waits for no longer than one takes. */
const BATCH = 100;

/** Opens store and places, and lets go of them whatever happens. */
export async function withLetting<T>(
  flags: LettingFlags,
  work: (letting: Letting) => Promise<T>,
): Promise<T> {
  return withPlaces(flags, (places) =>
    withStore(flags, async (store) => {
      const contactCenters =
        flags.contactCenter === undefined
          ? await store.access.contactCenters()
          : [await needContactCenter(store.access, flags.contactCenter)];
      return work({ store, contactCenters, deps: { ...SURROUNDINGS, store: store.letting, places } });
    }),
  );
}

/** How commands work: without waiting, and to the end. */
export function paceOf(onProgress: (done: number) => void = () => {}): Pace {
  return {
    actor: { kind: 'cli' },
    batch: BATCH,
    pause: () => nextTurn(),
    onProgress,
    signal: new AbortController().signal,
  };
}

/**
 * What a command would do to each contact center, by its name. With --dry-run that is printed, and null given:
 * there is nothing more to do.
 */
export async function planEach<P extends object>(
  flags: DryRunFlags,
  contactCenters: readonly ContactCenter[],
  plan: (contactCenter: ContactCenter) => Promise<P>,
  tell: (plan: P) => string,
): Promise<Map<string, P> | null> {
  const plans = new Map<string, P>();
  for (const each of contactCenters) plans.set(each.name, await plan(each));
  if (flags.dryRun !== true) return plans;
  print(
    flags.json === true,
    {
      dryRun: true,
      contactCenters: [...plans].map(([contactCenter, found]) => ({ contactCenter, ...found })),
    },
    [...plans].map(([contactCenter, found]) => `${contactCenter}: ${tell(found)}`),
  );
  return null;
}

/** Runs a work on each contact center in turn, under one progress bar. */
export async function eachInTurn<T>(
  contactCenters: readonly ContactCenter[],
  total: number,
  verb: string,
  work: (
    contactCenter: ContactCenter,
    pace: Pace,
    progress: Progress,
  ) => Promise<{ done: number; result: T }>,
): Promise<Map<ContactCenter, T>> {
  const progress = startProgress(total, 'recordings');
  const results = new Map<ContactCenter, T>();
  let before = 0;
  try {
    for (const contactCenter of contactCenters) {
      const pace = paceOf((done) => progress.update(before + done, `${before + done} ${verb}`));
      const { done, result } = await work(contactCenter, pace, progress);
      before += done;
      results.set(contactCenter, result);
    }
  } finally {
    progress.stop();
  }
  return results;
}

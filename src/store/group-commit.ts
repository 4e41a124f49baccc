import { Failure } from '../errors.ts';
import type { Engine, Transaction } from './engine.ts';

/** Works that one transaction takes in at most. */
const MOST = 256;
/** How long the first of a group waits for others while many come, in milliseconds. */
const PAUSE = 4;

/** One small work among those of a transaction: it may refuse with a Failure, as long as it has written nothing. */
export type Work<T> = (transaction: Transaction) => Promise<T>;
/** Runs a work that writes rows of a contact center. */
export type Commit = <T>(contactCenterId: number, work: Work<T>) => Promise<T>;

interface Waiting {
  readonly cc: number;
  readonly work: Work<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs small works that come at the same moment in one transaction, since it is the commit that costs: it
 * waits for the disk. Each resolves when it is kept. Where the store fails, none of the transaction's works
 * is kept, and each is told.
 */
export function createGroupCommit(engine: Engine): Commit {
  let waiting: Waiting[] = [];
  let isScheduled = false;
  /** Whether works come faster than they are kept. One caller who awaits each of theirs never waits for others. */
  let isBusy = false;

  async function runAll(all: readonly Waiting[]): Promise<void> {
    try {
      const contactCenters = new Set(all.map(({ cc }) => cc));
      const settled = await engine.transaction([...contactCenters], async (transaction) => {
        const outcomes: (() => void)[] = [];
        for (const { work, resolve, reject } of all) {
          try {
            const value = await work(transaction);
            outcomes.push(() => resolve(value));
          } catch (error) {
            // A refusal wrote nothing; anything else may have come halfway through.
            if (!(error instanceof Failure) || error.kind === 'unavailable') throw error;
            outcomes.push(() => reject(error));
          }
        }
        return outcomes;
      });
      for (const settle of settled) settle();
    } catch (error) {
      const [only] = all;
      if (error instanceof Failure || all.length === 1) for (const { reject } of all) reject(error);
      // One of them has a bug: the others need not suffer from it.
      else if (only !== undefined) for (const each of all) await runAll([each]);
    }
  }

  async function runWaiting(): Promise<void> {
    isScheduled = false;
    const all = waiting.slice(0, MOST);
    waiting = waiting.slice(MOST);
    // Where each contact center is locked by itself, one that somebody else keeps holds up no other.
    const groups = engine.isParallel ? [...Map.groupBy(all, ({ cc }) => cc).values()] : [all];
    isBusy = groups.some(({ length }) => length > 1);
    if (waiting.length > 0) schedule();
    await Promise.all(groups.map(runAll));
  }

  function schedule(): void {
    if (isScheduled) return;
    isScheduled = true;
    // What else this turn of the event loop brings comes along at any rate.
    if (isBusy) setTimeout(runWaiting, PAUSE);
    else setImmediate(runWaiting);
  }

  return <T>(cc: number, work: Work<T>) =>
    new Promise<T>((resolve, reject) => {
      waiting.push({ cc, work, resolve: resolve as (value: unknown) => void, reject });
      schedule();
    });
}

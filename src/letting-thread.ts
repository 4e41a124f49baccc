import { Worker } from 'node:worker_threads';
import type { DialectIndex } from './directory/query.ts';
import { describeBug } from './errors.ts';
import type { LogFacts } from './jobs/letting-job.ts';
import type { PlaceOptions } from './media/open.ts';
import type { StorePlace } from './store/open.ts';

/** What a thread that lets recordings go is given. */
export interface LettingThreadData {
  readonly store: StorePlace;
  readonly dialects: readonly DialectIndex[];
  readonly media: { readonly main: PlaceOptions; readonly archive: PlaceOptions | null };
}

/**
 * Runs a round in a thread with a store of its own: its writes wait for the disk, and no request here waits
 * with them. Resolves when the thread has ended, which it does after the batch under way once `signal` says.
 */
export function runRoundInThread(data: LettingThreadData, signal: AbortSignal, log: LogFacts): Promise<void> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./letting-thread-entry.ts', import.meta.url), { workerData: data });
    const end = () => worker.postMessage('end');
    signal.addEventListener('abort', end);
    worker.on('message', log);
    worker.on('error', (error) => log({ job: 'letting', bug: describeBug(error) }));
    worker.once('exit', () => {
      signal.removeEventListener('abort', end);
      resolve();
    });
  });
}

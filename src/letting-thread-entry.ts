/** What a thread that lets recordings go runs: one round, told to the first thread line by line. */
import { parentPort, workerData } from 'node:worker_threads';
import { v7 as uuidV7 } from 'uuid';
import { Failure } from './errors.ts';
import { jobPace, type LogFacts, RHYTHM, runRound } from './jobs/letting-job.ts';
import type { LettingThreadData } from './letting-thread.ts';
import { closeMediaPlaces, openMediaPlaces } from './media/open.ts';
import { openStore } from './store/open.ts';

const CACHE_MIB = 8;

const log: LogFacts = (facts) => parentPort?.postMessage(facts);
const ended = new AbortController();
parentPort?.on('message', () => ended.abort());

async function run(data: LettingThreadData): Promise<void> {
  const { now } = Date;
  const places = await openMediaPlaces(data.media);
  const store = await openStore({ ...data.store, dialects: data.dialects, now, cacheMiB: CACHE_MIB });
  try {
    await runRound(
      {
        letting: { store: store.letting, places, now, newId: () => uuidV7() },
        contactCenters: () => store.access.contactCenters(),
        log,
      },
      jobPace(RHYTHM, ended.signal),
    );
  } finally {
    await store.close();
    await closeMediaPlaces(places);
  }
}

try {
  await run(workerData as LettingThreadData);
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  log({ job: 'letting', failure: error.message });
} finally {
  parentPort?.close();
}

import type { LettingStore } from '../../recordings/letting.ts';
import type { RecordingStore } from '../../recordings/ports.ts';
import type { AddEvents } from '../audit.ts';
import type { Engine } from '../engine.ts';
import { createGroupCommit } from '../group-commit.ts';
import type { Statements } from '../statements.ts';
import { createDayCounts } from './day-counts.ts';
import { createEnds } from './ends.ts';
import { createLettingStore } from './letting.ts';
import { createRecordingPages } from './pages.ts';
import { LISTED, WHOLE } from './row.ts';
import { createRuns } from './runs.ts';
import { createBury } from './tombstone.ts';
import { createRecordingWrites } from './write.ts';

/** What reads many recordings, which may be another engine than what writes them. */
export function createRecordingReads(
  engine: Engine,
  statements: Statements,
): Pick<RecordingStore, 'page' | 'list' | 'firstEnd'> {
  const runs = createRuns(statements);
  const ends = createEnds(engine, statements, runs);
  const deps = { engine, runs, counts: createDayCounts(statements), ends };
  return {
    page: createRecordingPages(deps, WHOLE),
    list: createRecordingPages(deps, LISTED),
    firstEnd: ends.firstEnd,
  };
}

/** Recordings in the store, and what lets them go. */
export function createRecordingStores(
  engine: Engine,
  statements: Statements,
  addEvents: AddEvents,
): { readonly recordings: RecordingStore; readonly letting: Omit<LettingStore, 'wipe'> } {
  const counts = createDayCounts(statements);
  const commit = createGroupCommit(engine);
  const bury = createBury(statements, counts, addEvents);
  const writes = createRecordingWrites(engine, statements, counts, commit, addEvents, bury);
  return {
    recordings: { ...createRecordingReads(engine, statements), ...writes },
    letting: createLettingStore(engine, statements, commit, bury, addEvents, writes.discard),
  };
}

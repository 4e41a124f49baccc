import type { RecordingStore } from '../../recordings/ports.ts';
import type { AddEvents } from '../audit.ts';
import type { Engine } from '../engine.ts';
import type { Commit } from '../group-commit.ts';
import type { Statements } from '../statements.ts';
import { createDayCounts } from './day-counts.ts';
import { createRecordingPages } from './pages.ts';
import { createRuns } from './runs.ts';
import { createRecordingWrites } from './write.ts';

/** Recordings in the store. */
export function createRecordingStore(
  engine: Engine,
  statements: Statements,
  commit: Commit,
  addEvents: AddEvents,
): RecordingStore {
  const counts = createDayCounts(statements);
  return {
    page: createRecordingPages(engine, createRuns(statements), counts),
    ...createRecordingWrites(engine, statements, counts, commit, addEvents),
  };
}

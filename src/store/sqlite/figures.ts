import { statSync } from 'node:fs';
import type { EngineFigures } from '../../access/ports.ts';
import type { SqliteEngine } from './engine.ts';

const gauge = { kind: 'gauge', of: 'store', labels: [] } as const;

/** Figures of the file: what its log and its pages take, and how often it was busy. */
export function createSqliteFigures(engine: SqliteEngine, path: string): EngineFigures {
  const version = engine.version();
  const one = (value: unknown) => [{ labels: {}, value: Number(value) }];
  return {
    definitions: [
      { ...gauge, name: 'store_info', labels: ['engine', 'version'], help: 'The engine of the store' },
      { ...gauge, name: 'sqlite_wal_bytes', help: 'Size of the write-ahead log' },
      { ...gauge, name: 'sqlite_pages', help: 'Pages of the file' },
      { ...gauge, name: 'sqlite_free_pages', help: 'Pages of the file that hold nothing' },
      { ...gauge, name: 'sqlite_page_bytes', help: 'Size of a page' },
      {
        name: 'sqlite_busy_total',
        help: 'Statements that gave up as another process kept the file',
        kind: 'counter',
        of: 'process',
        labels: [],
      },
    ],
    here: () =>
      new Map([
        ['store_info', [{ labels: { engine: 'sqlite', version }, value: 1 }]],
        ['sqlite_wal_bytes', one(statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0)],
        ['sqlite_pages', one(engine.pragma('page_count'))],
        ['sqlite_free_pages', one(engine.pragma('freelist_count'))],
        ['sqlite_page_bytes', one(engine.pragma('page_size'))],
        ['sqlite_busy_total', one(engine.timesBusy())],
      ]),
    asked: async () => new Map(),
  };
}

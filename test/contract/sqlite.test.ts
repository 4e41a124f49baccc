import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openStore, storePath } from '../../src/store/open.ts';
import { describeStore } from './store-contract.ts';

function withDatabase<T>(place: string, work: (db: Database.Database) => T): T {
  const db = new Database(storePath(place));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

describeStore({
  name: 'SQLite',
  makePlace: () => mkdtemp(join(tmpdir(), 'rollcall-contract-')),
  dropPlace: (place) => rm(place, { recursive: true, force: true }),
  open: (place, dialects) => openStore({ data: place, dialects, now: () => 1_700_000_000_000, cacheMiB: 8 }),
  execute: async (place, sql) => withDatabase(place, (db) => void db.exec(sql)),
  dump: async (place) =>
    withDatabase(place, (db) => {
      const tables = db.prepare('select name, sql from sqlite_schema order by name').all() as {
        name: string;
        sql: string | null;
      }[];
      const rows = tables
        .filter(({ sql }) => sql?.toLowerCase().startsWith('create table'))
        .map(({ name }) => [
          name,
          db
            .prepare(`select * from "${name}"`)
            .all()
            .map((row) => JSON.stringify(row))
            .sort(),
        ]);
      return JSON.stringify([tables, rows], null, 1);
    }),
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'node:test';
import Database from 'better-sqlite3';
import { openStore, storePath } from '../../src/store/open.ts';
import { dumpFile } from '../store-dump.ts';
import { describeStore, type EngineUnderTest } from './store-contract.ts';
import { describeWrites } from './writes-contract.ts';

function withDatabase<T>(place: string, work: (db: Database.Database) => T): T {
  const db = new Database(storePath(place));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const SQLITE: EngineUnderTest = {
  name: 'SQLite',
  makePlace: () => mkdtemp(join(tmpdir(), 'rollcall-contract-')),
  dropPlace: (place) => rm(place, { recursive: true, force: true }),
  open: (place, dialects) => openStore({ data: place, dialects, now: () => 1_700_000_000_000, cacheMiB: 8 }),
  execute: async (place, sql) => withDatabase(place, (db) => void db.exec(sql)),
  dump: async (place) => JSON.stringify(dumpFile(storePath(place)), null, 1),
};

/** With the writer for loads in place of the store's own. */
const IN_THREAD: EngineUnderTest = {
  ...SQLITE,
  async open(place, dialects) {
    const store = await SQLITE.open(place, dialects);
    const bulk = store.openBulkWriter();
    return {
      ...store,
      writer: bulk.writer,
      async close() {
        await bulk.close();
        await store.close();
      },
    };
  },
};

describeStore(SQLITE);
describe('the store on SQLite, written in a thread of its own', () => describeWrites(IN_THREAD));

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { Failure } from '../../errors.ts';
import { type Inserter, NoRowChanged, type Statement } from '../engine.ts';
import { SqliteEngine } from './engine.ts';
import type { WriterThread } from './writer-thread.ts';

const statement = (sql: string, ...parameters: string[]): Statement => ({ name: 'test', sql, parameters });
const ALL = statement('select n, t from things order by n');
const ADD = statement('insert into things (n, t) values (?, ?)', 'n', 't');
const RENAME = statement('update things set t = ? where n = ?', 't', 'n');
const INSERTS: Inserter = {
  width: 1,
  most: 4,
  statement: (rows) =>
    statement(`insert into things select column1, ? from (values ${Array(rows).fill('(?)').join(', ')})`),
};

describe('a writing thread', () => {
  let folder = '';
  let path = '';
  let engine: SqliteEngine;
  let thread: WriterThread;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-thread-'));
    path = join(folder, 'store.sqlite');
    engine = new SqliteEngine({ path, cacheMiB: 4, busyTimeout: 200 });
    engine.execute('create table migrations (n integer) strict');
    engine.execute('create table things (n integer primary key, t text) strict');
    thread = engine.openThread();
  });
  afterEach(async () => {
    await thread.close();
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('writes in the order in which it is asked, and reads what was written', async () => {
    const seen = await thread.transaction([], async (transaction) => {
      await transaction.run(ADD, { n: 1, t: 'one' });
      await transaction.runEach(ADD, [
        { n: 2, t: null },
        { n: 3, t: 'drei' },
      ]);
      await transaction.runEach(ADD, []);
      await transaction.insert(INSERTS, [10, 11, 12, 13, 14, 15, 16], ['many']);
      await transaction.insert(INSERTS, [], ['none']);
      await transaction.runOne(RENAME, { n: 3, t: 'three' });
      assert.deepEqual(await engine.read(ALL, {}), [], 'nobody else sees it before it is kept');
      return transaction.read(ALL, {});
    });
    assert.deepEqual(seen, [
      [1, 'one'],
      [2, null],
      [3, 'three'],
      ...[10, 11, 12, 13, 14, 15, 16].map((n) => [n, 'many']),
    ]);
    // In the turn in which it was kept.
    assert.deepEqual(await engine.read(ALL, {}), seen);
  });

  it('keeps nothing of a transaction whose work fails, or in which a statement fails', async () => {
    await assert.rejects(
      thread.transaction([], async (transaction) => {
        await transaction.run(ADD, { n: 1, t: 'one' });
        throw new Error('no more');
      }),
      /no more/,
    );
    for (const last of ['commit', 'read'] as const) {
      await assert.rejects(
        thread.transaction([], async (transaction) => {
          await transaction.run(ADD, { n: 1, t: 'one' });
          await transaction.run(ADD, { n: 1, t: 'again' });
          await transaction.run(ADD, { n: 2, t: 'two' });
          if (last === 'read') await transaction.read(ALL, {});
        }),
        // As SQLite's own error is in this thread: nothing that a caller can mend.
        (error) => error instanceof Error && !(error instanceof Failure) && error.name === 'SqliteError',
      );
    }
    await assert.rejects(
      thread.transaction([], async (transaction) => {
        await transaction.run(ADD, { n: 1, t: 'one' });
        await transaction.runOne(RENAME, { n: 2, t: 'two' });
      }),
      NoRowChanged,
    );
    assert.deepEqual(await engine.read(ALL, {}), []);
    await thread.transaction([], (transaction) => transaction.run(ADD, { n: 5, t: 'well again' }));
    assert.deepEqual(await engine.read(ALL, {}), [[5, 'well again']]);
  });

  it('runs one transaction after the other', async () => {
    const order: string[] = [];
    await Promise.all(
      ['a', 'b'].map((name, at) =>
        thread.transaction([], async (transaction) => {
          order.push(`${name} begins`);
          await transaction.run(ADD, { n: at, t: name });
          await transaction.read(ALL, {});
          order.push(`${name} ends`);
        }),
      ),
    );
    assert.deepEqual(order, ['a begins', 'a ends', 'b begins', 'b ends']);
  });

  it('says that the store is busy where another writer does not end, and writes once it has', async () => {
    const other = new Database(path);
    other.exec('begin immediate');
    const write = () => thread.transaction([], (transaction) => transaction.run(ADD, { n: 1, t: 'one' }));
    await assert.rejects(write(), (error) => {
      assert.ok(error instanceof Failure);
      assert.deepEqual([error.kind, error.retryAfter], ['unavailable', 1]);
      return true;
    });
    other.exec('commit');
    other.close();
    await write();
    assert.deepEqual(await engine.read(ALL, {}), [[1, 'one']]);
  });

  it('ends with what was asked of it done, and then takes nothing more', async () => {
    const last = thread.transaction([], (transaction) => transaction.run(ADD, { n: 1, t: 'one' }));
    await thread.close();
    await last;
    assert.deepEqual(await engine.read(ALL, {}), [[1, 'one']]);
    await assert.rejects(
      thread.transaction([], (transaction) => transaction.run(ADD, { n: 2, t: 'two' })),
      /has ended/,
    );
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openStore, type Store } from '../../src/store/open.ts';
import { serveJson } from '../acceptance/server-process.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { makeFolder, succeed } from './commands.ts';

const RECORDINGS = 40;

describe('work that one process alone does', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  before(async () => {
    folder = await makeFolder('postgres-jobs');
    postgres = await PostgresServer.start();
  });
  after(async () => {
    await postgres?.stop();
    await folder.drop();
  });

  const open = (databaseUrl: string): Promise<Store> =>
    openStore({ data: '', databaseUrl, dialects: [], now: Date.now, cacheMiB: 8 });
  /** The server's processes that hold such a lock: one for each store with a holder. */
  const holders = async () =>
    (await postgres.query("select pid from pg_locks where locktype = 'advisory' and granted")).map(
      ({ pid }) => Number(pid),
    );

  it('is taken over where it is released, and where its connection ends', async () => {
    const place = await postgres.makePlace();
    const [first, second, elsewhere] = [
      await open(place),
      await open(place),
      await open(await postgres.makePlace()),
    ];
    try {
      const [one, two] = [first.openLease('a'), second.openLease('a')];
      const held = await one.take();
      assert.equal(held?.aborted, false);
      assert.equal(await two.take(), null);
      assert.equal(await one.take(), held, 'it is still held');
      for (const other of [second.openLease('b'), elsewhere.openLease('a')]) {
        assert.equal((await other.take())?.aborted, false, 'other work, or another store');
        await other.release();
      }
      await one.release();
      const [signal, ...none] = [await two.take(), await one.take()];
      assert.deepEqual([signal?.aborted, none], [false, [null]]);

      assert.ok(signal);
      const lost = once(signal, 'abort');
      const [pid, ...more] = await holders();
      assert.deepEqual(more, []);
      await postgres.query(`select pg_terminate_backend(${pid})`);
      await lost;
      assert.equal((await one.take())?.aborted, false);
      assert.equal(await two.take(), null);
      await one.release();
    } finally {
      await first.close();
      await second.close();
      await elsewhere.close();
    }
    assert.deepEqual(await holders(), []);
  });

  it('is taken up on the standby that was promoted, and until then told how far it is behind', async () => {
    const { primary, standby } = await PostgresServer.startPair();
    const url = primary.url().replace(primary.host, `${primary.host},${standby.host}`);
    const store = await open(`${url}?target_session_attrs=read-write`);
    try {
      const asked = await store.figures.asked();
      assert.equal(asked.get('postgres_replication_lag_bytes')?.length, 1);
      const lease = store.openLease('a');
      const held = await lease.take();
      assert.ok(held?.aborted === false);
      const lost = once(held, 'abort');
      await primary.crash();
      await lost;
      await assert.rejects(lease.take(), { kind: 'unavailable' });
      await standby.promote();
      let again: AbortSignal | null = null;
      while (again === null) again = await lease.take().catch(() => sleep(100, null));
      assert.equal(again.aborted, false);
      await lease.release();
    } finally {
      await store.close();
      await primary.stop();
      await standby.stop();
    }
  });

  it('goes on in another server when the one that does it is killed', async () => {
    const place = await postgres.makePlace();
    const data = ['--data', join(folder.path, 'data'), '--database-url', place];
    await succeed('demo', '--users', '5', '--recordings', String(RECORDINGS), ...data);
    const count = async (state: string) =>
      Number(
        (await postgres.query(`select count(*) from recordings where state = '${state}'`, place))[0]?.count,
      );
    const first = await serveJson(...data);
    while ((await holders()).length === 0) await sleep(50);
    const [pid] = await holders();
    const second = await serveJson('--workers', '2', ...data);
    try {
      await succeed('contact-center', 'set', 'demo', 'recordings.retentionDays', '50', ...data);
      // Long enough for the second to look, two seconds after it started: it leaves the work to the first.
      await sleep(5000);
      assert.deepEqual([await holders(), await count('purged')], [[pid], 0]);
      await first.stop('SIGKILL');
      while ((await count('purged')) === 0) await sleep(100);
      const [other, ...more] = await holders();
      assert.ok(other !== pid && more.length === 0);
    } finally {
      const { code, stderr } = await second.stop();
      assert.equal(code, 0, stderr);
    }
    assert.ok((await count('stored')) > 0);
    assert.deepEqual(await holders(), []);
  });
});

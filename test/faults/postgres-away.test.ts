import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { FlakyProxy } from './flaky-proxy.ts';
import { assertAllAway, REQUESTS, TOLD_WITHIN, VendorRequests } from './vendor-requests.ts';

/** Two hundred at once take a busy machine longer, in milliseconds. */
const MANY_TOLD_WITHIN = 10_000;

describe('a server whose PostgreSQL goes away', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let opened: AppUnderTest;
  let vendors: VendorRequests;

  before(async () => {
    postgres = await PostgresServer.start();
    opened = await openAppUnderTest({ databaseUrl: await postgres.makePlace() });
    vendors = await VendorRequests.begin(opened);
  });
  after(async () => {
    await opened?.close();
    await postgres?.stop();
  });

  /** Holds a table until what this gives is called. */
  const lockTable = async (table: string): Promise<() => Promise<void>> => {
    const client = new pg.Client({ connectionString: postgres.url('place_1') });
    await client.connect();
    await client.query(`begin; lock table ${table}`);
    return () => client.end();
  };

  it("says so in each vendor's form, at once, and is well again by itself", async () => {
    const good = await vendors.askAll();
    for (const [at, { status }] of good.entries()) assert.equal(status, 200, REQUESTS[at]?.[0]);
    assert.equal((await vendors.ask('/readyz')).status, 200);

    // Requests keep coming, before, while and after.
    const stop = vendors.keepAsking();
    await sleep(200);
    await postgres.crash();
    const away = await vendors.askAll();
    const readiness = await vendors.ask('/readyz');
    const liveness = await vendors.ask('/healthz');
    await sleep(300);
    await postgres.resume();
    await vendors.untilWell();
    const seen = await stop();

    assertAllAway(away);
    assert.equal(readiness.status, 503);
    assert.equal(liveness.status, 200);
    const statuses = new Set(seen.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [200, 503]);
    for (const { milliseconds } of [...seen, ...away])
      assert.ok(milliseconds < TOLD_WITHIN, `${milliseconds} ms`);
    assert.deepEqual(
      (await vendors.askAll()).map(({ body }) => body),
      good.map(({ body }) => body),
    );
  });

  it('says so while the network says nothing at all, gives up what it alone did, and is well again', async () => {
    const proxy = await FlakyProxy.start(`http://${postgres.host}`);
    const place = (await postgres.makePlace()).replace(postgres.host, new URL(proxy.url).host);
    const behind = await openAppUnderTest({ databaseUrl: place });
    try {
      const asked = await VendorRequests.begin(behind);
      const good = await asked.askAll();
      const held = await behind.app.store.openLease('a').take();
      assert.ok(held?.aborted === false);
      const lost = once(held, 'abort');
      proxy.cut(true);
      // The first find connections that seem to be there, the next ones none.
      for (let time = 0; time < 2; time += 1) {
        const away = await asked.askAll();
        assertAllAway(away);
        for (const { milliseconds } of away) assert.ok(milliseconds < TOLD_WITHIN, `${milliseconds} ms`);
      }
      assert.equal((await asked.ask('/healthz')).status, 200);
      await lost;
      proxy.cut(false);
      await asked.untilWell();
      assert.deepEqual(
        (await asked.askAll()).map(({ body }) => body),
        good.map(({ body }) => body),
      );
    } finally {
      await behind.close();
      await proxy.stop();
    }
  });

  it('is well again after its connections were ended one by one', async () => {
    await vendors.askAll();
    await postgres.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rollcall'",
    );
    const seen = await vendors.untilWell();
    for (const { status } of seen) assert.equal(status, 503);
  });

  it('answers 503 while every connection waits, and then is well again', async () => {
    const release = await lockTable('tokens');
    const answers = await Promise.all(Array.from({ length: 200 }, () => vendors.ask(REQUESTS[2]?.[1] ?? '')));
    for (const { status, retryAfter, milliseconds } of answers) {
      assert.equal(status, 503);
      assert.match(String(retryAfter), /^[1-9]$/);
      assert.ok(milliseconds < MANY_TOLD_WITHIN, `${milliseconds} ms`);
    }
    await release();
    await vendors.untilWell();
  });

  it('answers 503 to whom a statement takes too long, while others go on', async () => {
    const [convoso = '', , smartflo = ''] = REQUESTS.map(([, path]) => path);
    const release = await lockTable('user_terms');
    const stuck = Promise.all(Array.from({ length: 3 }, (_, at) => vendors.ask(`${convoso}${at}`)));
    const others = await Promise.all(Array.from({ length: 20 }, (_, at) => vendors.ask(`${smartflo}${at}`)));
    for (const { status, body } of others) assert.equal(status, 200, body);
    for (const { status, retryAfter } of await stuck) {
      assert.equal(status, 503);
      assert.match(String(retryAfter), /^[1-9]$/);
    }
    await release();
    await vendors.untilWell();
  });
});

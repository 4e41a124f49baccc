import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';

describe('/metrics of a server over PostgreSQL', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let place: string;
  let opened: AppUnderTest;
  before(async () => {
    postgres = await PostgresServer.start();
    // As most are: a user who owns the database, and may see little of others.
    await postgres.query("create role plain login password 'only for tests'");
    await postgres.query('create database plain owner plain');
    const url = new URL(postgres.url());
    url.username = 'plain';
    url.pathname = '/plain';
    place = url.href;
    opened = await openAppUnderTest({ databaseUrl: place });
    await opened.app.store.access.createContactCenter('north', 'UTC', 0);
  });
  after(async () => {
    await opened?.close();
    await postgres?.stop();
  });

  /** The engine's figures, by name and labels. */
  async function scrape(): Promise<Record<string, number>> {
    const { statusCode, body } = await opened.app.server.inject({ url: '/metrics' });
    assert.equal(statusCode, 200);
    return Object.fromEntries(
      [...body.matchAll(/^rollcall_((?:postgres|store_info)\S*) (\S+)$/gm)].map(([, name, value]) => [
        name ?? '',
        Number(value),
      ]),
    );
  }
  const ready = async () => (await opened.app.server.inject({ url: '/readyz' })).statusCode;
  /** Holds all contact centers while it works, so that every statement that reads them waits. */
  async function withLock(work: () => Promise<void>): Promise<void> {
    const client = new pg.Client({ connectionString: place });
    await client.connect();
    await client.query('begin; lock table contact_centers in access exclusive mode');
    try {
      await work();
    } finally {
      await client.end();
    }
  }

  /** Those of other users are counted as well. */
  async function assertCountsAll(): Promise<void> {
    const others = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new pg.Client({ connectionString: postgres.url() });
        await client.connect();
        return client;
      }),
    );
    try {
      assert.ok(((await scrape()).postgres_connections ?? 0) >= 7);
    } finally {
      for (const client of others) await client.end();
    }
  }

  it('tells of the pools and of the server', async () => {
    await ready();
    const figures = await scrape();
    assert.equal(figures['postgres_pool_max{pool="read"}'], 9);
    assert.equal(figures['postgres_pool_max{pool="write"}'], 3);
    for (const pool of ['read', 'write']) {
      const [total = 0, idle = 0] = ['connections', 'idle'].map(
        (what) => figures[`postgres_pool_${what}{pool="${pool}"}`],
      );
      assert.ok(total >= 1 && idle <= total, pool);
      assert.equal(figures[`postgres_pool_waiting{pool="${pool}"}`], 0);
      assert.equal(figures[`postgres_pool_timeouts_total{pool="${pool}"}`], 0);
      assert.equal(figures[`postgres_retries_total{pool="${pool}"}`], 0);
    }
    assert.equal(figures.postgres_statement_timeouts_total, 0);
    assert.equal(figures.postgres_max_connections, 200);
    await assertCountsAll();
    assert.ok(!('postgres_replication_lag_seconds' in figures), 'there is no standby');
    const version = (await postgres.query('show server_version'))[0]?.server_version;
    assert.equal(figures[`store_info{engine="postgresql",version="${version}"}`], 1);
  });

  it('counts statements that took too long, works that found no connection, and second tries', async () => {
    await withLock(async () => {
      // Reads that come in one turn share a connection: these come in turns of their own.
      const waits: Promise<number>[] = [];
      let mostWaiting = 0;
      for (let at = 0; at < 60; at += 1) {
        waits.push(ready());
        await new Promise((resolve) => setTimeout(resolve, 2));
        const [{ value = 0 } = {}] = opened.app.store.figures.here().get('postgres_pool_waiting') ?? [];
        mostWaiting = Math.max(mostWaiting, value);
      }
      assert.ok(mostWaiting > 0);
      assert.deepEqual(new Set(await Promise.all(waits)), new Set([503]));
    });
    const figures = await scrape();
    assert.ok((figures.postgres_statement_timeouts_total ?? 0) > 0);
    assert.ok((figures['postgres_pool_timeouts_total{pool="read"}'] ?? 0) > 0);

    // A read is tried again only where its connection was lost soon: a busy machine takes its time.
    let later = figures;
    while (later['postgres_retries_total{pool="read"}'] === 0) {
      let answered = Promise.resolve(0);
      await withLock(async () => {
        answered = ready();
        const blocked = "select pid from pg_stat_activity where wait_event_type = 'Lock'";
        let pid: unknown;
        while (pid === undefined) pid = (await postgres.query(blocked))[0]?.pid;
        await postgres.query(`select pg_terminate_backend(${pid})`);
      });
      const status = await answered;
      later = await scrape();
      if (later['postgres_retries_total{pool="read"}'] === 1) assert.equal(status, 200);
    }
    assert.ok((later.postgres_lost_statements_total ?? 0) > 0);
    assert.equal(await ready(), 200);
  });

  it('is there while the server is away, without what only that could tell', async () => {
    await postgres.crash();
    const figures = await scrape();
    assert.equal(figures['postgres_pool_max{pool="read"}'], 9);
    assert.ok((figures.postgres_lost_statements_total ?? 0) > 0);
    assert.ok(!('postgres_connections' in figures || 'postgres_max_connections' in figures));
    await postgres.resume();
    while ((await ready()) !== 200) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok((await scrape()).postgres_max_connections);
  });
});

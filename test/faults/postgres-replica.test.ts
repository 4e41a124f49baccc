import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { rollcall, serveJson } from '../acceptance/server-process.ts';
import { ALL, addUsers, changeUser, idOf, person } from '../contract/people.ts';
import { said } from '../contract/recordings-contract.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { ask, makeFolder } from './commands.ts';

const LONGEST = 30_000;

describe('a standby for searches and exports', { skip: noPostgres }, () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let place: string;
  let store: Store;
  let contactCenter: ContactCenter;

  const onStandby = () => place.replace(primary.host, standby.host);
  const open = (url: string, maxLag: number): Promise<Store> =>
    openStore({
      data: '',
      databaseUrl: place,
      replica: { url, maxLag },
      dialects: ALL,
      now: () => 1,
      cacheMiB: 8,
      isServing: true,
    });
  const current = async () => {
    const found = await store.access.findContactCenter('north');
    assert.ok(found);
    return found;
  };
  /** What a request would show: the contact center is read anew, as each request does. */
  const firstNames = async () => {
    const page = await store.pages.page(await current(), {
      dialect: 'alpha',
      match: { kind: 'everyone' },
      limit: 10,
      count: 'none',
      fields: ['firstName'],
    });
    return page.users.map((user) => user.firstName);
  };
  const figures = () => {
    const found = store.figures.here();
    const fallbacks = found.get('postgres_replica_fallbacks_total') ?? [];
    return {
      reads: found.get('postgres_replica_reads_total')?.[0]?.value ?? 0,
      ...Object.fromEntries(fallbacks.map(({ labels, value }) => [String(labels.reason), value])),
    } as Record<'reads' | 'away' | 'lag' | 'behind', number>;
  };
  /** Asks until a figure has grown. */
  async function untilGrown(of: keyof ReturnType<typeof figures>): Promise<void> {
    const before = figures()[of];
    for (const end = performance.now() + LONGEST; figures()[of] === before; await sleep(20)) {
      assert.ok(performance.now() < end, `${of} did not grow`);
      await firstNames();
    }
  }
  /** Changes a name without a word of it to the contact center's revision: only what is read tells where. */
  const changeSecretly = (name: string) =>
    primary.query(`update users set first_name = '${name}' where number = 1`, place);

  before(async () => {
    ({ primary, standby } = await PostgresServer.startPair());
    place = await primary.makePlace();
    store = await open(onStandby(), 1000);
    contactCenter = await store.access.createContactCenter('north', 'UTC', 0);
    await addUsers(store, contactCenter, [person(1, { firstName: 'Ada' }), person(2, { firstName: 'Bo' })]);
  });
  beforeEach(() => untilGrown('reads'));
  after(async () => {
    await store?.close();
    await primary?.stop();
    await standby?.stop();
  });

  it('is read in place of the primary, and shows each write at once all the same', async () => {
    await standby.query('select pg_wal_replay_pause()');
    try {
      await changeSecretly('Eve');
      assert.deepEqual(await firstNames(), ['Ada', 'Bo'], 'by the standby');
      const { behind, lag } = figures();
      await changeUser(store, await current(), 2, (user) => ({ ...user, firstName: 'Cy', version: 2 }));
      assert.deepEqual(await firstNames(), ['Eve', 'Cy'], 'by the primary');
      assert.ok(figures().behind + figures().lag > behind + lag);
    } finally {
      await standby.query('select pg_wal_replay_resume()');
    }
    await untilGrown('reads');
    assert.deepEqual(await firstNames(), ['Eve', 'Cy']);
  });

  it('shows recordings that were just added', async () => {
    await standby.query('select pg_wal_replay_pause()');
    try {
      const { recordings } = store;
      await recordings.reserve(contactCenter, said(), { id: idOf(1), now: 1 });
      const page = await recordings.page(await current(), { limit: 5, count: 'exact' });
      assert.equal(page.total, 1);
    } finally {
      await standby.query('select pg_wal_replay_resume()');
    }
  });

  it('is left alone while it lags further than it may', async () => {
    await standby.query('select pg_wal_replay_pause()');
    try {
      await changeSecretly('Fay');
      await untilGrown('lag');
      assert.deepEqual((await firstNames())[0], 'Fay');
    } finally {
      await standby.query('select pg_wal_replay_resume()');
    }
    await untilGrown('reads');
  });

  it('is done without while it is away, and is read again when it is back', async () => {
    await standby.crash();
    await untilGrown('away');
    assert.equal((await firstNames()).length, 2);
    await standby.resume();
    await untilGrown('reads');
  });

  it('is done without where it is no standby of the primary', async () => {
    const other = await PostgresServer.start();
    const opened: Store[] = [];
    try {
      for (const url of [place, other.url(), 'postgres://127.0.0.1:1/nowhere']) {
        const wrong = await open(url, 60_000);
        opened.push(wrong);
        assert.equal(await wrong.pages.count(await current()), 2);
        assert.equal(wrong.figures.here().get('postgres_replica_reads_total')?.[0]?.value, 0);
      }
    } finally {
      for (const each of opened) await each.close();
      await other.stop();
    }
  });

  it('serves a user of the database without further rights', async () => {
    await primary.query(
      `create role plain login password 'only for tests'; grant usage on schema place_1 to plain;
      grant all on all tables in schema place_1 to plain`,
      place,
    );
    const plain = (url: string) => url.replace('//rollcall:', '//plain:');
    await untilGrown('reads');
    const ended = await rollcall(
      ...['export', '--contact-center', 'north', '--database-url', place],
      ...['--replica-url', plain(onStandby()), '--replica-max-lag', '30'],
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(ended.stdout.trim().split('\n').length, 2);
  });

  it('is told how far behind it is, whether anything is asked or not', async () => {
    const lag = async () =>
      (await store.figures.asked()).get('postgres_replica_lag_seconds')?.[0]?.value ?? Number.NaN;
    await standby.query('select pg_wal_replay_pause()');
    try {
      await changeSecretly('Gil');
      for (const end = performance.now() + LONGEST; !((await lag()) > 0); await sleep(100)) {
        assert.ok(performance.now() < end, `${await lag()} s`);
      }
    } finally {
      await standby.query('select pg_wal_replay_resume()');
    }
    for (const end = performance.now() + LONGEST; (await lag()) !== 0; await sleep(100)) {
      assert.ok(performance.now() < end, `${await lag()} s`);
    }
  });

  it('that cannot be reached is told by a server that starts', async () => {
    const folder = await makeFolder('replica-away');
    const server = await serveJson(
      ...['--data', folder.path, '--database-url', place, '--replica-url', 'postgres://127.0.0.1:1/nowhere'],
    );
    const { stderr } = await server.stop();
    await folder.drop();
    assert.match(stderr, /the replica cannot be reached/);
    assert.doesNotMatch(stderr, /nowhere/);
  });

  it('is read by a server, which counts it', async () => {
    const folder = await makeFolder('replica');
    const server = await serveJson(
      ...['--demo', '--data', folder.path, '--database-url', place],
      ...['--replica-url', onStandby(), '--replica-max-lag', '60'],
    );
    try {
      const headers = { authorization: `Bearer ${server.told.demo?.token}` };
      let metrics = '';
      for (const end = performance.now() + LONGEST; !/replica_reads_total [1-9]/.test(metrics); ) {
        assert.ok(performance.now() < end, metrics);
        assert.equal((await ask(`${server.told.address}/v1/users?limit=3`, headers)).status, 200);
        metrics = await (await ask(`${server.told.address}/metrics`)).text();
      }
      assert.match(metrics, /^rollcall_postgres_replica_fallbacks_total\{reason="lag"\} \d+$/m);
      assert.match(metrics, /^rollcall_postgres_replica_lag_seconds [\d.]+$/m);
      assert.ok(!server.printed.includes('only%20for%20tests'));
    } finally {
      await server.stop();
      await folder.drop();
    }
  });

  it('is refused in one line where its URL is none, or stands alone', async () => {
    const alone = await rollcall('export', '--contact-center', 'north', '--replica-url', onStandby());
    assert.equal(alone.code, 2);
    assert.match(alone.stderr, /^rollcall: --replica-url [^\n]+\n$/);
    const wrong = await rollcall(
      ...['export', '--contact-center', 'north', '--database-url', place, '--replica-url', 'hush'],
    );
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^rollcall: the database URL cannot be read[^\n]+\n$/);
    assert.doesNotMatch(wrong.stderr, /hush/);
    const several = onStandby().replace(standby.host, `${standby.host},${primary.host}`);
    const both = await rollcall(
      ...['export', '--contact-center', 'north', '--database-url', place, '--replica-url', several],
    );
    assert.equal(both.code, 2);
    assert.match(both.stderr, /^rollcall: the replica URL takes one server[^\n]+\n$/);
  });
});

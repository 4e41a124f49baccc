import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createToken } from '../../src/access/tokens.ts';
import { SURROUNDINGS } from '../../src/app.ts';
import { type AppUnderTest, loadRows, openAppUnderTest } from '../app-under-test.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';

/** A request of each vendor, and what its own 503 says. */
const REQUESTS: readonly (readonly [vendor: string, path: string])[] = [
  ['convoso', '/v1/users/search?user=person3@faults.example'],
  ['voiso', '/user_management/v1/users?limit=5'],
  ['smartflo', '/v1/users?limit=5'],
];
/** Bounds in milliseconds, several times what is to be reached: two seconds to be told, five until all is well. */
const TOLD_WITHIN = 10_000;
const WELL_WITHIN = 20_000;

interface Answered {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
  readonly milliseconds: number;
}

describe('a server whose PostgreSQL goes away', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let opened: AppUnderTest;
  let address: string;
  let token: string;

  before(async () => {
    postgres = await PostgresServer.start();
    opened = await openAppUnderTest({ databaseUrl: await postgres.makePlace() });
    const { app } = opened;
    const contactCenter = await app.store.access.createContactCenter('north', 'UTC', 0);
    const rows = Array.from({ length: 20 }, (_, at) => ({
      email: `person${at}@faults.example`,
      firstName: 'A',
    }));
    await loadRows(app, contactCenter, rows);
    const scopes = ['users:read'] as const;
    const about = { contactCenter, label: 'test', scopes, dialects: null, expiresIn: null };
    token = (await createToken(app.store.access, SURROUNDINGS, about)).secret;
    address = await app.server.listen({ host: '127.0.0.1', port: 0 });
  });
  after(async () => {
    await opened?.close();
    await postgres?.stop();
  });

  async function ask(path: string): Promise<Answered> {
    const start = performance.now();
    const answer = await fetch(address + path, { headers: { authorization: `Bearer ${token}` } });
    const body = await answer.text();
    const retryAfter = answer.headers.get('retry-after');
    return { status: answer.status, retryAfter, body, milliseconds: performance.now() - start };
  }

  const askAll = () => Promise.all(REQUESTS.map(([, path]) => ask(path)));

  /** Asks until all is well; gives what was answered until then. */
  async function untilWell(): Promise<Answered[]> {
    const seen: Answered[] = [];
    const end = performance.now() + WELL_WITHIN;
    for (;;) {
      const answers = await askAll();
      if (answers.every(({ status }) => status === 200)) return seen;
      seen.push(...answers);
      assert.ok(performance.now() < end, 'it is not well again');
      await sleep(50);
    }
  }

  it("says so in each vendor's form, at once, and is well again by itself", async () => {
    const good = await askAll();
    for (const [at, { status }] of good.entries()) assert.equal(status, 200, REQUESTS[at]?.[0]);
    assert.equal((await ask('/readyz')).status, 200);

    // Requests keep coming, before, while and after.
    const seen: Answered[] = [];
    let isOver = false;
    const load = Promise.all(
      Array.from({ length: 4 }, async (_, at) => {
        for (let turn = at; !isOver; turn += 1) seen.push(await ask(REQUESTS[turn % 3]?.[1] ?? ''));
      }),
    );
    await sleep(200);
    await postgres.crash();
    const away = await askAll();
    const readiness = await ask('/readyz');
    const liveness = await ask('/healthz');
    await sleep(300);
    await postgres.resume();
    await untilWell();
    isOver = true;
    await load;

    for (const [at, answer] of away.entries()) {
      assert.equal(answer.status, 503, `${REQUESTS[at]?.[0]}: ${answer.body}`);
      assert.match(String(answer.retryAfter), /^[1-9]$/);
      assert.doesNotMatch(answer.body, /127\.0\.0\.1|password|ECONN/);
    }
    assert.equal(new Set(away.map(({ body }) => body)).size, 3, 'each in its own form');
    assert.equal(readiness.status, 503);
    assert.equal(liveness.status, 200);
    const statuses = new Set(seen.map(({ status }) => status));
    assert.deepEqual([...statuses].sort(), [200, 503]);
    for (const { milliseconds } of [...seen, ...away])
      assert.ok(milliseconds < TOLD_WITHIN, `${milliseconds} ms`);
    assert.deepEqual(
      (await askAll()).map(({ body }) => body),
      good.map(({ body }) => body),
    );
  });

  it('is well again after its connections were ended one by one', async () => {
    await askAll();
    await postgres.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rollcall'",
    );
    const seen = await untilWell();
    for (const { status } of seen) assert.equal(status, 503);
  });

  it('answers 503 while every connection waits, and then is well again', async () => {
    const url = postgres.url('place_1');
    const locked = postgres.query('begin; lock table tokens; select pg_sleep(4); commit', url);
    await sleep(300);
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(REQUESTS[2]?.[1] ?? '')));
    for (const { status, retryAfter, milliseconds } of answers) {
      assert.equal(status, 503);
      assert.match(String(retryAfter), /^[1-9]$/);
      assert.ok(milliseconds < TOLD_WITHIN, `${milliseconds} ms`);
    }
    await locked;
    await untilWell();
  });
});

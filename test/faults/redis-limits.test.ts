import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { createToken } from '../../src/access/tokens.ts';
import { type App, SURROUNDINGS } from '../../src/app.ts';
import { rollcall, servePlain } from '../acceptance/server-process.ts';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';
import { noRedis, RedisServer } from '../redis/server.ts';
import { makeFolder } from './commands.ts';

/** Requests per second; no window here runs out by itself. */
const LIMIT = 5;

describe('limits that processes share through Redis', { skip: noRedis }, () => {
  let redis: RedisServer;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let first: AppUnderTest;
  let second: AppUnderTest;
  const log: { level: number; msg?: string }[] = [];
  let contactCenter: ContactCenter;
  let token: string;
  /** The key under which Redis counts it. */
  let key: string;

  before(async () => {
    redis = await RedisServer.start();
    folder = await makeFolder('redis-limits');
    const logger = pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) });
    const open = () =>
      openAppUnderTest({
        data: join(folder.path, 'data'),
        rateLimit: LIMIT,
        redisUrl: redis.url,
        log: logger,
      });
    first = await open();
    second = await open();
    contactCenter = await first.app.store.access.createContactCenter('north', 'UTC', 0);
    await takeToken();
  });
  after(async () => {
    await first?.close();
    await second?.close();
    await redis?.stop();
    await folder?.drop();
  });

  /** Makes a token that was never counted. */
  async function takeToken(): Promise<void> {
    const scopes = ['users:read'] as const;
    const made = await createToken(first.app.store.access, SURROUNDINGS, {
      contactCenter,
      label: 'x',
      scopes,
      dialects: null,
      expiresIn: null,
    });
    token = made.secret;
    key = `rollcall:token:${made.token.id}`;
  }

  const ask = ({ app }: { readonly app: App }) =>
    app.server.inject({ url: `/v1/users/search?auth_token=${token}&user=nobody` });
  const statusOf = async (under: AppUnderTest) => (await ask(under)).statusCode;
  /** How many requests were counted where, by both. */
  async function counted(where: 'redis' | 'process'): Promise<number> {
    let sum = 0;
    for (const { app } of [first, second]) {
      const { body } = await app.server.inject({ url: '/metrics' });
      sum += Number(
        new RegExp(`^rollcall_limit_counts_total\\{counted="${where}"\\} (\\d+)$`, 'm').exec(body)?.[1],
      );
    }
    return sum;
  }
  const warnings = () => log.filter(({ level }) => level === 40);
  /** Opens a window of a minute for the token, in which so many requests were counted. */
  const openWindow = (so: number) => redis.ask((client) => client.set(key, so, 'EX', 60));
  /** Asks until requests are counted in Redis again by both. */
  async function untilShared(): Promise<void> {
    for (const { app } of [first, second]) {
      for (;;) {
        const before = await counted('redis');
        await ask({ app });
        if ((await counted('redis')) > before) break;
        await sleep(50);
      }
    }
  }

  /**
   * Works with a token that was never counted, and again with another one where a request was not counted in
   * Redis meanwhile: on a busy machine it may be late. Gives the answers.
   */
  async function counting<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      await untilShared();
      await takeToken();
      const before = await counted('process');
      const answers = await work();
      if ((await counted('process')) === before) return answers;
    }
  }
  const askInFullWindow = () =>
    counting(async () => {
      await openWindow(LIMIT);
      return [await statusOf(first), await statusOf(second)];
    });

  it('let a token make as many requests as they say, in whichever process', async () => {
    const answers = await counting(async () => {
      await openWindow(0);
      const all: Awaited<ReturnType<typeof ask>>[] = [];
      for (const under of [first, second, second, first, second, first, second]) all.push(await ask(under));
      return all;
    });
    assert.deepEqual(
      answers.map(({ statusCode }) => statusCode),
      [200, 200, 200, 200, 200, 429, 429],
    );
    for (const { headers } of answers.slice(LIMIT)) {
      assert.ok(Number(headers['retry-after']) > 50, 'the window of all, as Redis knows it');
    }
  });

  it('are counted in each process by itself while Redis hangs, and together again when it goes on', async () => {
    await takeToken();
    const apart = await counted('process');
    await redis.hang(true);
    try {
      const answers = await Promise.all([first, second, first, second].map(statusOf));
      assert.deepEqual(answers, [200, 200, 200, 200]);
      for (let at = 0; at < 20; at += 1) assert.notEqual(await statusOf(at % 2 === 0 ? first : second), 503);
      assert.ok((await counted('process')) > apart);
      const limited = await Promise.all(Array.from({ length: 3 * LIMIT }, () => statusOf(first)));
      assert.ok(limited.includes(429), 'its own limit holds');
    } finally {
      await redis.hang(false);
    }
    assert.deepEqual(await askInFullWindow(), [429, 429]);
    // One line of each process, however often that was.
    assert.deepEqual(
      warnings().map(({ msg }) => msg),
      Array.from({ length: 2 }, () => 'Redis does not answer: each process limits by itself until it does'),
    );
  });

  it('hold in each process by itself while Redis is gone, and at a start without it', async () => {
    await takeToken();
    await redis.crash();
    for (const under of [first, second]) assert.notEqual(await statusOf(under), 503);
    const before = warnings().length;
    const third = await openAppUnderTest({
      data: first.data,
      rateLimit: LIMIT,
      redisUrl: redis.url,
      log: pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    });
    try {
      assert.equal(await statusOf(third), 200);
      assert.equal(warnings().length, before + 1);
    } finally {
      await third.close();
    }
    await redis.resume();
    assert.deepEqual(await askInFullWindow(), [429, 429]);
  });

  it('hold in each process by itself where Redis refuses, which the log says', async () => {
    await takeToken();
    const before = warnings().length;
    const refused = await openAppUnderTest({
      data: first.data,
      rateLimit: LIMIT,
      redisUrl: redis.url.replace(/:[^:@]*@/, ':another@'),
      log: pino({ base: null }, { write: (line: string) => void log.push(JSON.parse(line)) }),
    });
    try {
      const many = await Promise.all(Array.from({ length: 3 * LIMIT }, () => statusOf(refused)));
      assert.deepEqual([...new Set(many)].sort(), [200, 429]);
      assert.match(warnings()[before]?.msg ?? '', /^Redis refuses to count; check user and password/);
      assert.equal(warnings().length, before + 1);
    } finally {
      await refused.close();
    }
  });

  it('say at a start where they are counted, and to nobody the password', async () => {
    const data = ['--data', join(folder.path, 'serve')];
    const { hostname, port, password } = new URL(redis.url);
    const shared = await servePlain('--demo', ...data, '--workers', '2', '--redis-url', redis.url);
    assert.ok(
      shared.printed.includes(
        `100 requests per second and token, shared through Redis at ${hostname}:${port}/0\n`,
      ),
    );
    assert.ok(!shared.printed.includes(password));
    const { code, stderr } = await shared.stop();
    assert.equal(code, 0);
    assert.ok(!stderr.includes(password));
    for (const [flags, where] of [
      [['--workers', '2'], 'of the 2 workers'],
      [[], 'process'],
    ] as const) {
      const apart = await servePlain('--demo', ...data, ...flags);
      assert.ok(apart.printed.includes(`100 requests per second and token, in each ${where} by itself\n`));
      await apart.stop();
    }
    for (const url of ['http://u:hush@h', 'redis://u:hush@h/name', 'hush']) {
      const refused = await rollcall('serve', ...data, '--redis-url', url);
      assert.equal(refused.code, 2);
      assert.match(refused.stderr, /^rollcall: --redis-url takes redis:\/\/[^\n]+\n$/);
      assert.ok(!refused.stderr.includes('hush'));
    }
  });
});

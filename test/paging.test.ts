import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import pino from 'pino';
import { createToken } from '../src/access/tokens.ts';
import { type App, createApp, DIALECTS, SURROUNDINGS } from '../src/app.ts';
import { readMediaConfig } from '../src/config/media.ts';
import { importUsers, type SourceRow } from '../src/directory/import.ts';
import { native } from '../src/directory/native.ts';

describe('walking pages', () => {
  let folder: string;
  let app: App;
  let made = 0;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-paging-'));
    app = await createApp(
      {
        data: folder,
        media: readMediaConfig({ data: folder }),
        host: '127.0.0.1',
        port: 0,
        workers: 1,
        tls: null,
        rateLimit: null,
        redis: null,
        trustProxy: null,
        publicUrl: null,
        mostUpload: 2 ** 31,
        demo: false,
      },
      pino({ level: 'silent' }),
    );
  });
  after(async () => {
    await app?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A contact center of its own, a token for it, and what adds people to it. */
  async function open() {
    made += 1;
    const contactCenter = await app.store.access.createContactCenter(`center-${made}`, 'UTC', 0);
    await app.store.access.setSetting(contactCenter, 'convoso.userRequired', 'false');
    const { secret } = await createToken(app.store.access, SURROUNDINGS, {
      contactCenter,
      label: 'a',
      scopes: ['users:read'],
      dialects: null,
      expiresIn: null,
    });
    let people = 0;
    const add = async (count: number) => {
      const from = people;
      people += count;
      const rows = (async function* (): AsyncGenerator<SourceRow> {
        for (let at = from + 1; at <= from + count; at += 1) {
          const value = {
            email: `p${at}@example.com`,
            firstName: at % 3 === 0 ? 'Ada' : 'Bea',
            extensions: [String(at)],
          };
          yield { line: at, text: '', value };
        }
      })();
      const counts = await importUsers(app.store.writer, rows, {
        contactCenter,
        formatOf: () => native,
        dialects: DIALECTS.map((dialect) => dialect.name),
        now: Date.now,
        newId: SURROUNDINGS.newId,
        dryRun: false,
        onRefused: ({ reason }) => assert.fail(reason),
        onProgress: () => {},
      });
      assert.equal(counts.made, count);
    };
    const get = async (url: string) => {
      const answer = await app.server.inject({ url, headers: { authorization: `Bearer ${secret}` } });
      assert.equal(answer.statusCode, 200, url);
      return answer.json();
    };
    return { add, get, count: () => people };
  }

  const shape = fc.record({
    start: fc.integer({ min: 0, max: 60 }),
    limit: fc.integer({ min: 1, max: 25 }),
    additions: fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 6 }),
  });

  /** Numbers from 1 to the last that was there. */
  const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

  it('of Smartflo meets everyone once, in order, also those who come between pages', async () => {
    await fc.assert(
      fc.asyncProperty(shape, async ({ start, limit, additions }) => {
        const { add, get, count } = await open();
        await add(start);
        const seen: number[] = [];
        let last: number | null = 0;
        for (let turn = 0; ; turn += 1) {
          const page: {
            has_more: boolean;
            count: number;
            last_seen_id: number | null;
            data: { id: number }[];
          } = await get(`/v1/users?limit=${limit}&last_seen_id=${last}`);
          assert.equal(page.count, page.data.length);
          assert.equal(page.last_seen_id, page.data.at(-1)?.id ?? null);
          seen.push(...page.data.map((user) => user.id));
          if (!page.has_more) break;
          assert.equal(page.count, limit);
          last = page.last_seen_id;
          await add(additions[turn] ?? 0);
        }
        assert.deepEqual(seen, upTo(count()));
      }),
      { numRuns: 25 },
    );
  });

  it('of Convoso by offset meets everyone once, in order, and counts who is there', async () => {
    await fc.assert(
      fc.asyncProperty(
        shape,
        fc.constantFrom('', '&user=Bea,ada', '&user=Ada'),
        async ({ start, limit, additions }, who) => {
          const { add, get, count } = await open();
          await add(start);
          const seen: number[] = [];
          const wanted = () => upTo(count()).filter((number) => who !== '&user=Ada' || number % 3 === 0);
          for (let turn = 0; ; turn += 1) {
            const { data } = await get(`/v1/users/search?limit=${limit}&offset=${seen.length}${who}`);
            assert.deepEqual(
              [data.offset, data.limit, data.total],
              [seen.length, String(limit), String(wanted().length)],
            );
            const ids = Object.values(data.results as Record<string, { id: number }>).map((user) => user.id);
            if (ids.length === 0) break;
            seen.push(...ids);
            await add(additions[turn] ?? 0);
          }
          assert.deepEqual(seen, wanted());
        },
      ),
      { numRuns: 25 },
    );
  });

  it('of Voiso in one stream meets everyone who was there, once, in order', async () => {
    const { add, get, count } = await open();
    for (const size of [249, 1, 1, 248, 1, 1, 300]) {
      await add(size);
      const all: { id: number }[] = await get('/user_management/v1/users');
      assert.deepEqual(
        all.map((user) => user.id),
        upTo(count()),
      );
    }
    const before = count();
    const [all] = await Promise.all([
      get('/api/user_management/v1/users') as Promise<{ id: number }[]>,
      add(40),
    ]);
    const ids = all.map((user) => user.id);
    assert.deepEqual(ids, upTo(ids.length));
    assert.ok(ids.length >= before);
    const some: { id: number }[] = await get('/user_management/v1/users?limit=7&offset=255');
    assert.deepEqual(
      some.map((user) => user.id),
      upTo(262).slice(255),
    );
  });
});

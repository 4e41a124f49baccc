import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { SURROUNDINGS } from '../../src/app.ts';
import {
  type AppUnderTest,
  loadRows,
  makeTokens,
  openAppUnderTest,
  type TokenKind,
} from '../app-under-test.ts';
import { announce, purge, record } from '../recordings-under-test.ts';

const BASE = 'https://calls.example/behind';
const DAY = 86_400_000;
const START = Math.floor(Date.now() / DAY) * DAY - 10 * DAY;
const iso = (at: number) => new Date(at).toISOString();

describe("recordings in Rollcall's own API", () => {
  let opened: AppUnderTest;
  let calls: ContactCenter;
  let tokens: Readonly<Record<TokenKind, string>>;

  before(async () => {
    opened = await openAppUnderTest({ publicUrl: BASE });
    const { app } = opened;
    calls = await app.store.access.createContactCenter('calls', 'America/New_York', SURROUNDINGS.now());
    await loadRows(app, calls, [
      { email: 'ada@calls.example', loginId: 'ada', firstName: 'Ada' },
      { email: 'bob@calls.example', firstName: 'Bob' },
      { email: 'cat@calls.example', firstName: 'Cat' },
    ]);
    // 1 to 12, an hour apart: users 1, 2, 1, 2 ...; every third of lead 7; longer and longer.
    for (let at = 0; at < 12; at += 1) {
      await record(app, calls, {
        userNumber: 1 + (at % 2),
        leadId: at % 3 === 0 ? 7 : null,
        startedAt: START + at * 3_600_000,
        seconds: at * 10,
      });
    }
    await announce(app, calls, { userNumber: 3, startedAt: START + DAY, seconds: null }); // 13
    await record(app, calls, { userNumber: 3, startedAt: START + DAY }); // 14
    await purge(app, calls, 14);
    await record(app, calls, { userNumber: 3, startedAt: START - 100 * DAY, seconds: 5 }); // 15, past its retention
    tokens = await makeTokens(app, calls);
    await app.server.ready();
  });
  after(() => opened.close());

  async function ask(path: string, method: 'GET' | 'DELETE' | 'HEAD' | 'POST' = 'GET', token = tokens.good) {
    // A turn of the event loop lies between requests, as it does between those of a network.
    await new Promise(setImmediate);
    const url = path.startsWith(BASE) ? path.slice(BASE.length) : `/rollcall/v1/recordings${path}`;
    const answer = await opened.app.server.inject({
      method,
      url,
      headers: { authorization: `Bearer ${token}` },
    });
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: answer.body === '' ? null : JSON.parse(answer.body),
    };
  }
  const numbers = async (query: string): Promise<number[]> => {
    const { status, body } = await ask(query);
    assert.equal(status, 200, `${query} ${JSON.stringify(body)}`);
    return body.recordings.map(({ number }: { number: number }) => number);
  };

  test('are shown with all that is known of them, and links that work', async () => {
    const { status, headers, body } = await ask('/4');
    assert.equal(status, 200);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    const { id, sha256, createdAt, links, ...rest } = body;
    assert.deepEqual(rest, {
      number: 4,
      userNumber: 2,
      leadId: 7,
      callId: null,
      direction: 'outbound',
      remoteNumber: '+4930901820',
      startedAt: iso(START + 3 * 3_600_000),
      endedAt: null,
      seconds: 30,
      mediaType: 'audio/wav',
      bytes: 10,
      state: 'stored',
      legalHold: false,
      keepUntil: null,
    });
    const minutes = (Date.parse(links.expiresAt) - Date.now()) / 60_000;
    assert.ok(minutes > 59 && minutes <= 61);
    for (const [link, disposition] of [
      [links.play, /^inline; /],
      [links.download, /^attachment; /],
    ] as const) {
      const answer = await opened.app.server.inject({ url: link.slice(BASE.length) });
      assert.equal(answer.statusCode, 200);
      assert.equal(answer.body, 'RIFF audio');
      assert.match(String(answer.headers['content-disposition']), disposition);
    }
  });

  test('have no links where there is nothing to play: pending, purged, past their retention', async () => {
    for (const [number, state] of [
      [13, 'pending'],
      [14, 'purged'],
      [15, 'stored'],
    ] as const) {
      const { status, body } = await ask(`/${number}`);
      assert.equal(status, 200);
      assert.deepEqual({ state: body.state, links: body.links }, { state, links: null });
    }
    const { body } = await ask('/14');
    assert.deepEqual(
      [body.userNumber, body.leadId, body.remoteNumber, body.callId],
      [null, null, null, null],
    );
  });

  test('that are not there are a problem', async () => {
    for (const path of ['/99', '/0', '/x', '/1.0', '/99999999999', '/..%2f1', '/-1']) {
      const { status, headers, body } = await ask(path);
      assert.equal(status, 404, path);
      assert.equal(headers['content-type'], 'application/problem+json');
      assert.deepEqual(body, {
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'there is no recording of that number',
      });
    }
  });

  test('are listed by start, and found by user, lead, time, state and length', async () => {
    const hour = (at: number) => iso(START + at * 3_600_000);
    for (const [query, found] of [
      ['?limit=4', [15, 1, 2, 3]],
      ['?user=ada@calls.example&limit=3', [1, 3, 5]],
      ['?user=ADA&limit=3', [1, 3, 5]],
      ['?user=nobody@calls.example', []],
      ['?user=', []],
      ['?userNumber=3', [15, 13]],
      ['?user=ada,bob@calls.example&userNumber=3&limit=5', [15, 1, 2, 3, 4]],
      ['?user=ada&user=bob@calls.example&limit=2', [1, 2]],
      ['?leadId=7', [1, 4, 7, 10]],
      ['?leadId=7&userNumber=1', [1, 7]],
      [`?from=${hour(10)}`, [11, 12, 13]],
      [`?from=${hour(2)}&to=${hour(4)}`, [3, 4, 5]],
      [`?to=${hour(0)}`, [15, 1]],
      ['?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z&leadId=7', [1, 4, 7, 10]],
      ['?state=pending', [13]],
      ['?state=purged', [14]],
      ['?state=pending,purged', [14, 13]],
      ['?state=archived', []],
      ['?minSeconds=100', [11, 12]],
      ['?minSeconds=100&user=bob@calls.example', [12]],
      ['?other=1&minSeconds=110', [12]],
    ] as const) {
      assert.deepEqual(await numbers(query), found, query);
    }
  });

  test("take times without a zone as the contact center's", async () => {
    const local = new Date(START + 2 * 3_600_000).toLocaleString('sv-SE', { timeZone: 'America/New_York' });
    assert.deepEqual(await numbers(`?from=${local}&to=${local}`), [3]);
  });

  test('are walked page by page, by Link and by cursor, each once', async () => {
    const all = await numbers('?limit=1000');
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 15 }), async (limit) => {
        const walked: number[] = [];
        let next: string | null = `?limit=${limit}`;
        while (next !== null) {
          const { headers, body } = await ask(next);
          walked.push(...body.recordings.map(({ number }: { number: number }) => number));
          const [, link] = /^<(https:[^>]+)>; rel="next"$/.exec(String(headers.link)) ?? [];
          assert.equal(link === undefined, body.nextCursor === null);
          if (link !== undefined) {
            assert.equal(new URL(link).searchParams.get('cursor'), body.nextCursor);
            assert.ok(link.startsWith(`${BASE}/rollcall/v1/recordings?limit=${limit}&cursor=`));
          }
          next = link ?? null;
        }
        assert.deepEqual(walked, all);
      }),
      { numRuns: 15 },
    );
  });

  test('a Link asks the same question, whatever stands in it', async () => {
    const query = '?userNumber=1&userNumber=2&limit=1&state=stored&x=%3E%0d%0aevil:%201&cursor=';
    const { headers, body } = await ask(query.replace('&cursor=', ''));
    const [, link = ''] = /^<([!-~]+)>; rel="next"$/.exec(String(headers.link)) ?? [];
    const { searchParams } = new URL(link);
    assert.deepEqual(
      [...searchParams],
      [
        ['userNumber', '1'],
        ['userNumber', '2'],
        ['limit', '1'],
        ['state', 'stored'],
        ['x', '>\r\nevil: 1'],
        ['cursor', body.nextCursor],
      ],
    );
    assert.deepEqual((await ask(link)).body.recordings[0].number, 2);
  });

  test('a bad parameter is told by its name, and all of them at once', async () => {
    for (const [query, names] of [
      ['?limit=0', ['limit']],
      ['?limit=1001', ['limit']],
      ['?limit=', ['limit']],
      ['?limit=1&limit=2', ['limit']],
      ['?from=yesterday', ['from']],
      ['?to=2026-02-30T00:00:00Z', ['to']],
      ['?state=lost', ['state']],
      ['?state=', ['state']],
      ['?minSeconds=-1', ['minSeconds']],
      ['?leadId=x', ['leadId']],
      ['?userNumber=ada', ['userNumber']],
      ['?cursor=x', ['cursor']],
      ['?cursor=', ['cursor']],
      [`?user=${'x,'.repeat(501)}`, ['user']],
      ['?limit=x&from=x&state=x', ['from', 'state', 'limit']],
    ] as const) {
      const { status, headers, body } = await ask(query);
      assert.equal(status, 400, query);
      assert.equal(headers['content-type'], 'application/problem+json');
      assert.deepEqual(Object.keys(body.errors), names, query);
    }
  });

  test('whatever a cursor says is a place, and no way to anywhere else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.tuple(fc.integer(), fc.nat()).map((pair) => pair.join('.')),
        ),
        async (text) => {
          const cursor = Buffer.from(text).toString('base64url');
          const { status, body } = await ask(`?limit=1000&cursor=${cursor}`);
          assert.ok(status === 200 || (status === 400 && body.errors.cursor), text);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('are let go at once: the record is a tombstone, the audio and the links are gone', async () => {
    const { app } = opened;
    const { number, mediaId } = await record(app, calls, { startedAt: START });
    const { links } = (await ask(`/${number}`)).body;
    assert.equal((await ask(`/${number}`, 'DELETE', tokens['recordings-only'])).status, 403);
    assert.equal((await ask(`/${number}`, 'DELETE')).status, 204);
    assert.equal((await ask(`/${number}`)).body.state, 'purged');
    assert.equal((await opened.app.server.inject({ url: links.play.slice(BASE.length) })).statusCode, 403);
    assert.equal(await app.places.main.find({ contactCenterId: calls.id, id: mediaId }), null);
    // 14 was made a tombstone by the store alone, above.
    const leftovers = await app.store.letting.leftovers(calls, 0, 10);
    assert.deepEqual(
      leftovers.map((leftover) => leftover.number),
      [14],
    );
    assert.equal((await ask(`/${number}`, 'DELETE')).status, 204, 'again');
    assert.equal((await ask('/99', 'DELETE')).status, 404);
    await app.store.audit.flush();
    const events = (await app.store.audit.page(calls, 0, 1000)).filter(
      ({ action, subject }) => action === 'recording.purged' && subject === String(number),
    );
    assert.deepEqual(
      events.map(({ actor, outcome, details }) => [actor.kind, outcome, details]),
      [['token', 'done', { reason: 'deleted' }]],
    );
  });

  test('under legal hold are not let go', async () => {
    const { number } = await record(opened.app, calls, { startedAt: START, legalHold: true });
    const { status, body } = await ask(`/${number}`, 'DELETE');
    assert.equal(status, 409);
    assert.match(body.detail, /hold/);
    assert.equal((await ask(`/${number}`)).body.state, 'stored');
    const { audit } = opened.app.store;
    await audit.flush();
    const { actor, action, subject, outcome, details } = (await audit.page(calls, 0, 1000)).at(-1) ?? {};
    assert.deepEqual(
      { kind: actor?.kind, action, subject, outcome, details },
      {
        kind: 'token',
        action: 'recording.purged',
        subject: String(number),
        outcome: 'refused',
        details: { reason: 'legal hold' },
      },
    );
  });

  test('whose audio cannot be removed now are let go all the same, and it is noted', async (context) => {
    const { app } = opened;
    const { Failure } = await import('../../src/errors.ts');
    const { number } = await record(app, calls, { startedAt: START });
    const broken = context.mock.method(app.places.main, 'remove', async () => {
      throw new Failure('unavailable', 'no disk', { retryAfter: 30 });
    });
    assert.equal((await ask(`/${number}`, 'DELETE')).status, 204);
    broken.mock.restore();
    assert.equal((await ask(`/${number}`)).body.state, 'purged');
    const [leftover] = await app.store.letting.leftovers(calls, number - 1, 1);
    assert.deepEqual([leftover?.number, leftover?.copies[0]?.tier], [number, 'main']);
  });

  test('are asked for in no other way: paths and methods', async () => {
    const { server } = opened.app;
    const wrong = await server.inject({ method: 'PUT', url: '/rollcall/v1/recordings/1' });
    assert.deepEqual([wrong.statusCode, wrong.headers.allow], [405, 'GET, HEAD, DELETE']);
    const list = await server.inject({ method: 'DELETE', url: '/rollcall/v1/recordings' });
    assert.deepEqual([list.statusCode, list.headers.allow], [405, 'POST, GET, HEAD']);
    for (const url of [
      '/rollcall',
      '/rollcall/v1',
      '/rollcall/v1/users',
      '/v1/recordings',
      '/v1/recordings/1',
    ]) {
      const answer = await server.inject({ url });
      assert.equal(answer.statusCode, 404, url);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
    }
  });
});

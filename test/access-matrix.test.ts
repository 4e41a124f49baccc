import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import type { Scope } from '../src/access/token.ts';
import { SURROUNDINGS, WIRES } from '../src/app.ts';
import {
  type AppUnderTest,
  loadRows,
  makeTokens,
  openAppUnderTest,
  type TokenKind,
} from './app-under-test.ts';
import { record } from './recordings-under-test.ts';
import { listRoutes } from './server-routes.ts';

/** Routes that anyone may ask: they tell nothing of any user. */
const PUBLIC = [/^\/healthz$/, /^\/readyz$/, /^\/metrics$/, /^\/openapi\.json$/, /^\/docs(\/|$)/];
/** Routes that a signed link opens, whatever token comes along. */
const LINKED = [/^\/rollcall\/v1\/media\//];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const NORTH = ['anna@north.example', 'bert@north.example'];
const SOUTH = ['carl@south.example', 'dora@south.example'];

const rowsOf = (emails: readonly string[]) =>
  emails.map((email, at) => ({
    email,
    firstName: email.slice(0, 4),
    lastName: 'Same',
    extensions: [String(100 + at)],
  }));

/** A lead that both contact centers have called, and when: a start is told of nobody else. */
const LEAD = 4242;
const NORTH_START = '2026-03-03 10:00:01';
const SOUTH_START = '2026-03-03 10:00:02';

/** Asks for everyone of both contact centers by name; vendors that know no `user` ignore it. */
const EVERYONE = `?user=${[...NORTH, ...SOUTH, 'same', '1', '2'].join()}&lead_id=${LEAD}`;

let opened: AppUnderTest;
let north: Readonly<Record<TokenKind, string>>;
let south: Readonly<Record<TokenKind, string>>;

before(async () => {
  opened = await openAppUnderTest();
  const { app } = opened;
  const make = async (name: string, emails: readonly string[], start: string) => {
    const contactCenter = await app.store.access.createContactCenter(name, 'UTC', SURROUNDINGS.now());
    await loadRows(app, contactCenter, rowsOf(emails));
    // What is past its retention is not listed, and these are of a day that goes ever further back.
    await app.store.access.setSetting(contactCenter, 'recordings.retentionDays', '36500');
    await record(app, contactCenter, { leadId: LEAD, startedAt: Date.parse(`${start}Z`) });
    return makeTokens(app, contactCenter);
  };
  north = await make('north', NORTH, NORTH_START);
  south = await make('south', SOUTH, SOUTH_START);
  await app.server.ready();
});
after(() => opened.close());

/** Where it is not 200: an upload without audio, a recording that is not there. */
const GOOD: Readonly<Record<string, number>> = {
  'rollcall.recordings.add': 415,
  'rollcall.recordings.delete': 404,
};

interface Cell {
  readonly dialect: string;
  readonly scope: Scope | null;
  /** What a good token gets. */
  readonly good: number;
  readonly method: (typeof METHODS)[number];
  readonly path: string;
}

/** Every route that takes a token with every method that it knows, at all of its mounts. */
function tokenCells(): Cell[] {
  const cells: Cell[] = [];
  for (const dialect of WIRES) {
    for (const endpoint of dialect.endpoints(opened.app.deps)) {
      const methods = METHODS.filter((method) =>
        endpoint.methods.some((known) => known === (method === 'HEAD' ? 'GET' : method)),
      );
      const mounts = dialect.isAtRoot ? ['', `/${dialect.name}`] : [`/${dialect.name}`];
      for (const path of endpoint.paths.flatMap((each) => mounts.map((mount) => mount + each))) {
        for (const method of methods) {
          cells.push({
            dialect: dialect.name,
            scope: endpoint.scope,
            good: GOOD[endpoint.operation] ?? 200,
            method,
            path,
          });
        }
      }
    }
  }
  return cells;
}

async function ask({ method, path }: Cell, query: string, secret: string | null) {
  const url = path.replace(':number', method === 'DELETE' ? '999' : '1') + query;
  const request: InjectOptions = { method, url };
  if (secret !== null) request.headers = { authorization: `Bearer ${secret}` };
  const answer = await opened.app.server.inject(request);
  const shown = [...NORTH, NORTH_START, ...SOUTH, SOUTH_START].filter((mark) =>
    answer.body.replaceAll(/(\d)T(\d)/g, '$1 $2').includes(mark),
  );
  return { status: answer.statusCode, shown };
}

/** What a request shows of a contact center: its users or its recordings. HEAD sends no body. */
function seen({ method, scope }: Cell, of: 'north' | 'south'): string[] {
  if (method === 'HEAD' || scope === 'recordings:write') return [];
  if (scope === 'recordings:read') return [of === 'north' ? NORTH_START : SOUTH_START];
  return [...(of === 'north' ? NORTH : SOUTH)];
}

describe('who may ask what', () => {
  test('every route of the server takes a token at all of its mounts, or a link, or is public', () => {
    const cells = tokenCells();
    const known = Map.groupBy(cells, ({ path }) => path);
    for (const { path, methods } of listRoutes(opened.app.server)) {
      if ([...PUBLIC, ...LINKED].some((pattern) => pattern.test(path))) continue;
      assert.deepEqual(
        [...methods].sort(),
        (known.get(path) ?? []).map(({ method }) => method).sort(),
        `${path} is not in the matrix`,
      );
      known.delete(path);
    }
    assert.deepEqual([...known.keys()], [], 'endpoints that the server does not have');
    assert.equal(cells.length, 42, 'endpoints, mounts and methods');
  });

  test('no token, or none that is good, is refused with nothing shown', async () => {
    for (const cell of tokenCells()) {
      const label = `${cell.method} ${cell.path}`;
      assert.deepEqual(await ask(cell, EVERYONE, null), { status: 401, shown: [] }, label);
      for (const kind of ['expired', 'revoked', 'unknown', 'mistyped'] as const) {
        assert.deepEqual(
          await ask(cell, EVERYONE, north[kind]),
          { status: 401, shown: [] },
          `${label} ${kind}`,
        );
      }
    }
  });

  test('a token without the scope is refused', async () => {
    for (const cell of tokenCells()) {
      const kind = cell.scope === 'recordings:read' ? 'users-only' : 'recordings-only';
      const answer = await ask(cell, EVERYONE, north[kind]);
      assert.deepEqual(answer, { status: 403, shown: [] }, `${cell.method} ${cell.path}`);
    }
  });

  test('a token works in the dialects that it lists, and in no other', async () => {
    for (const cell of tokenCells()) {
      for (const { name } of WIRES) {
        const kind = `${name}-only` as TokenKind;
        const isAllowed = name === cell.dialect;
        assert.deepEqual(
          await ask(cell, EVERYONE, north[kind]),
          { status: isAllowed ? cell.good : 403, shown: isAllowed ? seen(cell, 'north') : [] },
          `${cell.method} ${cell.path} with ${kind}`,
        );
      }
    }
  });

  test('a good token shows the users of its own contact center, and no others', async () => {
    for (const cell of tokenCells()) {
      const label = `${cell.method} ${cell.path}`;
      const answers = [await ask(cell, EVERYONE, north.good), await ask(cell, EVERYONE, south.good)];
      assert.deepEqual(
        answers,
        [
          { status: cell.good, shown: seen(cell, 'north') },
          { status: cell.good, shown: seen(cell, 'south') },
        ],
        label,
      );
    }
  });

  test('filters find nobody of another contact center, though numbers and extensions are the same', async () => {
    for (const cell of tokenCells()) {
      for (const query of [
        '?user=1&id=1',
        '?user=anna&extension=100',
        '?user=anna,carl&name=anna%20Same',
        `?user=${NORTH[0]}&email=${NORTH[0]}`,
        `?user=${SOUTH[0]}&email=${SOUTH[0]}`,
        '?user=same&limit=1',
        '?user=same&last_seen_id=0&limit=1000',
        '?user=same&is_extension_created=true&sag=Agent',
        `?user=same&lead_id=${LEAD}`,
      ]) {
        const label = `${cell.method} ${cell.path}${query}`;
        for (const [secret, own] of [
          [north.good, [...NORTH, NORTH_START]],
          [south.good, [...SOUTH, SOUTH_START]],
        ] as const) {
          const { status, shown } = await ask(cell, query, secret);
          assert.equal(status, cell.good, label);
          assert.deepEqual(
            shown.filter((email) => !own.includes(email)),
            [],
            label,
          );
        }
      }
    }
  });

  test('a method that a path does not know is refused whoever asks', async () => {
    const cells = tokenCells();
    for (const path of new Set(cells.map((cell) => cell.path))) {
      const known = cells.filter((cell) => cell.path === path).map((cell) => cell.method);
      for (const method of METHODS.filter((each) => !known.includes(each))) {
        for (const secret of [null, north.good]) {
          const answer = await ask({ dialect: '', scope: null, good: 0, method, path }, EVERYONE, secret);
          assert.deepEqual(answer, { status: 405, shown: [] }, `${method} ${path}`);
        }
      }
    }
  });

  test('no token opens audio: a link does, or nothing', async () => {
    const path = '/rollcall/v1/media/1/1';
    for (const method of ['GET', 'HEAD'] as const) {
      for (const secret of [null, ...Object.values(north), ...Object.values(south)]) {
        const answer = await ask({ dialect: '', scope: null, good: 0, method, path }, EVERYONE, secret);
        assert.deepEqual(answer, { status: 403, shown: [] }, method);
      }
    }
  });

  test('what is public tells of nobody', async () => {
    for (const { path } of listRoutes(opened.app.server)) {
      if (!PUBLIC.some((pattern) => pattern.test(path))) continue;
      const answer = await ask(
        { dialect: '', scope: null, good: 0, method: 'GET', path: path.replace('*', '') },
        '',
        null,
      );
      assert.ok([200, 302].includes(answer.status), `${path} ${answer.status}`);
      assert.deepEqual(answer.shown, [], path);
    }
  });
});

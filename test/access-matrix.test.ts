import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { InjectOptions } from 'fastify';
import { DIALECTS, SURROUNDINGS } from '../src/app.ts';
import { Answers } from '../src/http/answers.ts';
import { EncodedUsers } from '../src/http/encoded-users.ts';
import {
  type AppUnderTest,
  loadRows,
  makeTokens,
  openAppUnderTest,
  type TokenKind,
} from './app-under-test.ts';
import { listRoutes } from './server-routes.ts';

/** Routes that anyone may ask: they tell nothing of any user. */
const PUBLIC = [/^\/healthz$/, /^\/readyz$/, /^\/metrics$/, /^\/openapi\.json$/, /^\/docs(\/|$)/];
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

/** Asks for everyone of both contact centers by name; vendors that know no `user` ignore it. */
const EVERYONE = `?user=${[...NORTH, ...SOUTH, 'same', '1', '2'].join()}`;

let opened: AppUnderTest;
let north: Readonly<Record<TokenKind, string>>;
let south: Readonly<Record<TokenKind, string>>;

before(async () => {
  opened = await openAppUnderTest();
  const { app } = opened;
  const make = async (name: string, emails: readonly string[]) => {
    const contactCenter = await app.store.access.createContactCenter(name, 'UTC', SURROUNDINGS.now());
    await loadRows(app, contactCenter, rowsOf(emails));
    return makeTokens(app, contactCenter);
  };
  north = await make('north', NORTH);
  south = await make('south', SOUTH);
  await app.server.ready();
});
after(() => opened.close());

interface Cell {
  readonly dialect: string;
  readonly method: (typeof METHODS)[number];
  readonly path: string;
}

/** Every vendor's route with every method that it knows, at both mounts. */
function vendorCells(): Cell[] {
  const cells: Cell[] = [];
  const users = opened.app.store.pages;
  const deps = { users, encoded: new EncodedUsers(users), answers: new Answers(), now: SURROUNDINGS.now };
  for (const dialect of DIALECTS) {
    for (const endpoint of dialect.endpoints(deps)) {
      const methods = METHODS.filter((method) =>
        endpoint.methods.some((known) => known === (method === 'HEAD' ? 'GET' : method)),
      );
      for (const path of endpoint.paths.flatMap((each) => [each, `/${dialect.name}${each}`])) {
        for (const method of methods) cells.push({ dialect: dialect.name, method, path });
      }
    }
  }
  return cells;
}

async function ask({ method, path }: Cell, query: string, secret: string | null) {
  const request: InjectOptions = { method, url: path + query };
  if (secret !== null) request.headers = { authorization: `Bearer ${secret}` };
  const answer = await opened.app.server.inject(request);
  const shown = [...NORTH, ...SOUTH].filter((email) => answer.body.includes(email));
  return { status: answer.statusCode, shown };
}

/** What a request shows of users: HEAD sends no body. */
const seen = (cell: Cell, emails: readonly string[]) => (cell.method === 'HEAD' ? [] : [...emails]);

describe('who may ask what', () => {
  test('every route of the server is a vendor endpoint at both mounts, or public', () => {
    const cells = vendorCells();
    const known = Map.groupBy(cells, ({ path }) => path);
    for (const { path, methods } of listRoutes(opened.app.server)) {
      if (PUBLIC.some((pattern) => pattern.test(path))) continue;
      assert.deepEqual(
        [...methods].sort(),
        (known.get(path) ?? []).map(({ method }) => method).sort(),
        `${path} is not in the matrix`,
      );
      known.delete(path);
    }
    assert.deepEqual([...known.keys()], [], 'endpoints that the server does not have');
    assert.equal(cells.length, 18, 'endpoints, mounts and methods');
  });

  test('no token, or none that is good, is refused with nothing shown', async () => {
    for (const cell of vendorCells()) {
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
    for (const cell of vendorCells()) {
      const answer = await ask(cell, EVERYONE, north['recordings-only']);
      assert.deepEqual(answer, { status: 403, shown: [] }, `${cell.method} ${cell.path}`);
    }
  });

  test('a token works in the dialects that it lists, and in no other', async () => {
    for (const cell of vendorCells()) {
      for (const { name } of DIALECTS) {
        const kind = `${name}-only` as TokenKind;
        const isAllowed = name === cell.dialect;
        assert.deepEqual(
          await ask(cell, EVERYONE, north[kind]),
          { status: isAllowed ? 200 : 403, shown: isAllowed ? seen(cell, NORTH) : [] },
          `${cell.method} ${cell.path} with ${kind}`,
        );
      }
    }
  });

  test('a good token shows the users of its own contact center, and no others', async () => {
    for (const cell of vendorCells()) {
      const label = `${cell.method} ${cell.path}`;
      const answers = [await ask(cell, EVERYONE, north.good), await ask(cell, EVERYONE, south.good)];
      assert.deepEqual(
        answers,
        [
          { status: 200, shown: seen(cell, NORTH) },
          { status: 200, shown: seen(cell, SOUTH) },
        ],
        label,
      );
    }
  });

  test('filters find nobody of another contact center, though numbers and extensions are the same', async () => {
    for (const cell of vendorCells()) {
      for (const query of [
        '?user=1&id=1',
        '?user=anna&extension=100',
        '?user=anna,carl&name=anna%20Same',
        `?user=${NORTH[0]}&email=${NORTH[0]}`,
        `?user=${SOUTH[0]}&email=${SOUTH[0]}`,
        '?user=same&limit=1',
        '?user=same&last_seen_id=0&limit=1000',
        '?user=same&is_extension_created=true&sag=Agent',
      ]) {
        const label = `${cell.method} ${cell.path}${query}`;
        for (const [secret, own] of [
          [north.good, NORTH],
          [south.good, SOUTH],
        ] as const) {
          const { status, shown } = await ask(cell, query, secret);
          assert.equal(status, 200, label);
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
    const cells = vendorCells();
    for (const path of new Set(cells.map((cell) => cell.path))) {
      const known = cells.filter((cell) => cell.path === path).map((cell) => cell.method);
      for (const method of METHODS.filter((each) => !known.includes(each))) {
        for (const secret of [null, north.good]) {
          const answer = await ask({ dialect: '', method, path }, EVERYONE, secret);
          assert.deepEqual(answer, { status: 405, shown: [] }, `${method} ${path}`);
        }
      }
    }
  });

  test('what is public tells of nobody', async () => {
    for (const { path } of listRoutes(opened.app.server)) {
      if (!PUBLIC.some((pattern) => pattern.test(path))) continue;
      const answer = await ask({ dialect: '', method: 'GET', path: path.replace('*', '') }, '', null);
      assert.ok([200, 302].includes(answer.status), `${path} ${answer.status}`);
      assert.deepEqual(answer.shown, [], path);
    }
  });
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { Failure } from '../../src/errors.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { rollcall, run, serveJson } from '../acceptance/server-process.ts';
import { ALL, addUsers, changeUser, idOf, person } from '../contract/people.ts';
import { said } from '../contract/recordings-contract.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { ask, assertOneLine, BIN, makeFolder, people, succeed } from './commands.ts';

describe('several processes over one PostgreSQL', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  before(async () => {
    folder = await makeFolder('processes');
    postgres = await PostgresServer.start();
  });
  after(async () => {
    await postgres?.stop();
    await folder.drop();
  });

  const open = (place: string): Promise<Store> =>
    openStore({ data: '', databaseUrl: place, dialects: ALL, now: () => 1, cacheMiB: 8 });

  it('make a new store once where several start at once', async () => {
    const place = await postgres.makePlace();
    const names = ['a', 'b', 'c'];
    const ended = await Promise.all(
      names.map((name) => rollcall('contact-center', 'create', name, '--database-url', place)),
    );
    for (const { code, stderr } of ended) assert.equal(code, 0, stderr);
    const list = JSON.parse(await succeed('contact-center', 'list', '--database-url', place, '--json'));
    assert.deepEqual(
      list.map(({ name }: { name: string }) => name),
      names,
    );
  });

  it('write other contact centers while one is locked by another process', async () => {
    const place = await postgres.makePlace();
    const store = await openStore({
      data: '',
      databaseUrl: place,
      dialects: ALL,
      now: () => 1,
      cacheMiB: 8,
      isServing: true,
    });
    const client = new pg.Client({ connectionString: place });
    try {
      const north = await store.access.createContactCenter('north', 'UTC', 0);
      const south = await store.access.createContactCenter('south', 'UTC', 0);
      for (const each of [north, south]) await addUsers(store, each, [person(1)]);
      await client.connect();
      await client.query(
        `begin; select 1 from contact_centers where contact_center_id = ${north.id} for update`,
      );
      let kept = 0;
      let next = 0;
      const reserve = (contactCenter: typeof north) => {
        next += 1;
        return store.recordings.reserve(contactCenter, said(), { id: idOf(next), now: 1 });
      };
      // More than there are connections for writes, and those of both contact centers in the same turns.
      const waiting: Promise<unknown>[] = [];
      for (let turn = 0; turn < 5; turn += 1) {
        waiting.push(reserve(north).then(() => (kept += 1)));
        await reserve(south);
      }
      assert.equal(kept, 0);
      await client.query('rollback');
      await Promise.all(waiting);
      assert.equal(kept, 5);
    } finally {
      await client.end();
      await store.close();
    }
  });

  it('load files that overlap, and nobody is there twice', async () => {
    const place = await postgres.makePlace();
    await succeed('contact-center', 'create', 'north', '--database-url', place);
    const files = [people(1, 1500), people(701, 2000)];
    const ended = await Promise.all(
      files.map(async (text, at) => {
        const file = join(folder.path, `${at}.jsonl`);
        await writeFile(file, text);
        return rollcall('import', file, '--contact-center', 'north', '--database-url', place, '--json');
      }),
    );
    const counts = ended.map(({ code, stdout, stderr }) => {
      assert.equal(code, 0, stderr);
      return JSON.parse(stdout);
    });
    assert.equal(counts[0].made + counts[1].made, 2000);
    assert.equal(counts[0].unchanged + counts[1].unchanged, 800);
    const [row] = await postgres.query(
      'select count(*)::int as users, count(distinct email_key)::int as emails, max(number) as last from users',
      place,
    );
    assert.deepEqual(row, { users: 2000, emails: 2000, last: 2000 });
  });

  it('take each number once', async () => {
    const place = await postgres.makePlace();
    const [first, second] = [await open(place), await open(place)];
    try {
      const contactCenter = await first.access.createContactCenter('north', 'UTC', 0);
      await addUsers(first, contactCenter, [person(1)]);
      const reserved = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => {
          const { recordings } = at % 2 === 0 ? first : second;
          const { recording } = await recordings.reserve(contactCenter, said(), { id: idOf(at + 1), now: 1 });
          return recording.number;
        }),
      );
      assert.deepEqual(
        reserved.toSorted((a, b) => a - b),
        Array.from({ length: 60 }, (_, at) => at + 1),
      );
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('lose nothing of what the other read before it wrote', async () => {
    const place = await postgres.makePlace();
    const [first, second] = [await open(place), await open(place)];
    try {
      const contactCenter = await first.access.createContactCenter('north', 'UTC', 0);
      const keys = Array.from({ length: 40 }, (_, at) => `key${at}`);
      await Promise.all(
        keys.map((key, at) => (at % 2 === 0 ? first : second).access.setSetting(contactCenter, key, 'x')),
      );
      const found = await first.access.findContactCenter('north');
      assert.deepEqual(Object.keys(found?.settings ?? {}).sort(), keys.toSorted());
      assert.equal(found?.revision, contactCenter.revision + keys.length);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('give a user each version once', async () => {
    const place = await postgres.makePlace();
    const [first, second] = [await open(place), await open(place)];
    try {
      const contactCenter = await first.access.createContactCenter('north', 'UTC', 0);
      await addUsers(first, contactCenter, [person(1)]);
      const given: number[] = [];
      await Promise.all(
        Array.from({ length: 40 }, async (_, at) => {
          let version = 0;
          await changeUser(at % 2 === 0 ? first : second, contactCenter, 1, (user) => {
            version = user.version + 1;
            return { ...user, firstName: `Change ${at}`, version };
          });
          given.push(version);
        }),
      );
      assert.deepEqual(
        given.toSorted((a, b) => a - b),
        Array.from({ length: 40 }, (_, at) => at + 2),
      );
      const [user] = await second.pages.pageByNumber(contactCenter, 0, 1);
      assert.equal(user?.version, 41);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('feel a revocation and a write of another at once', async () => {
    const place = await postgres.makePlace();
    const [first, second] = [await open(place), await open(place)];
    try {
      const contactCenter = await first.access.createContactCenter('north', 'UTC', 0);
      const token = {
        id: idOf(1),
        contactCenterId: contactCenter.id,
        label: 'x',
        scopes: [],
        dialects: null,
      };
      await first.access.addToken({ ...token, createdAt: 1, expiresAt: null, revokedAt: null }, 'hash');
      assert.equal((await second.access.findToken('hash'))?.token.revokedAt, null);
      await addUsers(first, contactCenter, [person(1)]);
      const seen = await second.access.findToken('hash');
      assert.ok((seen?.contactCenter.revision ?? 0) > contactCenter.revision);
      await first.access.revokeToken(token.id, 7);
      assert.equal((await second.access.findToken('hash'))?.token.revokedAt, 7);
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('leave no half of a schema behind where making it is broken off', async () => {
    const place = await postgres.makePlace();
    // The last table but one cannot be made.
    await postgres.query('create table signing_keys (theirs integer)', place);
    const isForeign = (error: unknown) =>
      error instanceof Failure && error.kind === 'precondition' && /another program/.test(error.message);
    await assert.rejects(open(place), isForeign);
    const tables = 'select tablename from pg_tables where schemaname = current_schema()';
    assert.deepEqual(await postgres.query(tables, place), [{ tablename: 'signing_keys' }]);
    await postgres.query('drop table signing_keys', place);
    const store = await open(place);
    await store.ping();
    await store.close();
  });

  it('serve with workers, print no password, and end at SIGTERM', async () => {
    const place = await postgres.makePlace();
    const password = new URL(place).password;
    const data = join(folder.path, 'data');
    const server = await serveJson('--demo', '--workers', '2', '--data', data, '--database-url', place);
    assert.ok(!server.printed.includes(password));
    assert.match(server.printed, /"database":\s*"127\.0\.0\.1:\d+\/postgres"/);
    const headers = { authorization: `Bearer ${server.told.demo?.token}` };
    for (let at = 0; at < 6; at += 1) {
      const answer = await ask(`${server.told.address}/v1/users?limit=3`, headers);
      assert.equal(answer.status, 200);
      assert.equal(((await answer.json()) as { count: number }).count, 3);
    }
    const { code, stderr } = await server.stop();
    assert.equal(code, 0);
    assert.ok(!stderr.includes(password));
    assert.doesNotMatch(stderr, /bug/);
  });

  it('are told by doctor what may lose data, and by nobody what the password is', async () => {
    const place = await postgres.makePlace();
    await succeed('contact-center', 'create', 'north', '--database-url', place);
    const { code, stdout, stderr } = await rollcall('doctor', '--database-url', place, '--data', folder.path);
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^BAD {3}fsync/m);
    for (const good of [
      'PostgreSQL',
      'full_page_writes',
      'synchronous_commit',
      'indexes',
      'clock skew',
      'clock',
    ]) {
      assert.match(stdout, new RegExp(`^ok {4}${good} `, 'm'));
    }
    const away = 'postgres://someone:hush%20now@127.0.0.1:1/somewhere';
    const failed = await rollcall('token', 'list', '--database-url', away, '--contact-center', 'north');
    assertOneLine(failed, /cannot reach PostgreSQL at 127\.0\.0\.1:1\/somewhere/, 'token list');
    assert.doesNotMatch(failed.stderr, /hush|someone/);
    for (const url of ['mysql://u:hush@h/d', 'postgres://u:hush@h', 'hush']) {
      const wrong = await rollcall('token', 'list', '--database-url', url, '--contact-center', 'north');
      assert.equal(wrong.code, 2);
      assert.match(wrong.stderr, /^rollcall: the database URL [^\n]+\n$/);
      assert.doesNotMatch(wrong.stderr, /hush/);
    }
    const help = await run('env', [
      `ROLLCALL_DATABASE_URL=${away}`,
      process.execPath,
      BIN,
      'token',
      'list',
      '--help',
    ]);
    assert.equal(help.code, 0);
    assert.match(help.stdout, /--database-url/);
    assert.doesNotMatch(help.stdout, /hush|someone/);
  });
});

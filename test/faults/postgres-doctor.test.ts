import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { Cell } from '../../src/store/engine.ts';
import { openStore } from '../../src/store/open.ts';
import { inspectDatabase } from '../../src/store/postgres/inspect.ts';
import { COMMAND_LIMITS, readPostgresUrl } from '../../src/store/postgres/place.ts';
import { rollcall } from '../acceptance/server-process.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { makeFolder } from './commands.ts';

describe('doctor on PostgreSQL', { skip: noPostgres }, () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let good: PostgresServer;
  let bad: PostgresServer;
  before(async () => {
    folder = await makeFolder('postgres-doctor');
    good = await PostgresServer.start('fsync=on');
    bad = await PostgresServer.start(
      'full_page_writes=off',
      'synchronous_commit=off',
      'max_connections=24',
      'zero_damaged_pages=on',
      'ignore_checksum_failure=on',
    );
  });
  after(async () => {
    await good?.stop();
    await bad?.stop();
    await folder.drop();
  });

  interface Told {
    readonly code: number | null;
    readonly isWell: boolean;
    /** What was found, by check; what is bad begins with BAD. */
    readonly found: Readonly<Record<string, string>>;
  }
  async function ask(place: string, ...flags: string[]): Promise<Told> {
    const common = ['--database-url', place, '--data', folder.path, '--json'];
    const { code, stdout } = await rollcall('doctor', ...flags, ...common);
    const { ok, findings } = JSON.parse(stdout) as {
      ok: boolean;
      findings: { check: string; ok: boolean; detail: string }[];
    };
    const found = findings.map((each) => [each.check, `${each.ok ? '' : 'BAD '}${each.detail}`]);
    return { code, isWell: ok, found: Object.fromEntries(found) };
  }
  /** The checks that found something bad. */
  const badOnes = ({ found }: Told) =>
    Object.keys(found)
      .filter((check) => found[check]?.startsWith('BAD'))
      .sort();

  it('finds nothing wrong where nothing is, and tells what is there', async () => {
    const told = await ask(await good.makePlace());
    assert.deepEqual([told.code, told.isWell, badOnes(told)], [0, true, []]);
    assert.match(told.found.PostgreSQL ?? '', /^18/);
    assert.deepEqual(
      [told.found.fsync, told.found.full_page_writes, told.found.synchronous_commit, told.found.extensions],
      ['on', 'on', 'on', 'none'],
    );
    assert.equal(told.found.connections, '197, of which 21 are needed');
  });

  it('tells settings that lose data', async () => {
    const told = await ask(await bad.makePlace());
    assert.deepEqual([told.code, told.isWell], [1, false]);
    const dangers = ['ignore_checksum_failure', 'zero_damaged_pages'];
    assert.deepEqual(badOnes(told), ['fsync', 'full_page_writes', 'synchronous_commit', ...dangers].sort());
    for (const check of badOnes(told)) {
      const meant = dangers.includes(check) ? /^BAD is on: .*set it to off$/ : /^BAD is off: .*set it to on$/;
      assert.match(told.found[check] ?? '', meant);
    }
  });

  it('tells tables that a crash empties', async () => {
    const place = await good.makePlace();
    await ask(place);
    await good.query('alter table audit_events set unlogged', place);
    const told = await ask(place);
    assert.deepEqual(badOnes(told), ['unlogged tables']);
    assert.match(told.found['unlogged tables'] ?? '', /^BAD audit_events: .*set logged$/);
  });

  it('tells that the settings of our sessions are not in force, as behind a pooler that drops them', async () => {
    const place = await good.makePlace();
    assert.equal((await ask(place)).found.session, 'ok');
    // What its user says of them is no fault.
    const own = await ask(`${place}${encodeURIComponent(' -c jit=on')}&statement_timeout=9000`);
    assert.equal(own.found.session, 'ok');
    const client = new pg.Client({ connectionString: place });
    await client.connect();
    try {
      const plain = {
        read: async ({ sql }: { readonly sql: string }) =>
          (await client.query<Cell[]>({ text: sql, rowMode: 'array' })).rows,
      };
      const session = readPostgresUrl(place).session(COMMAND_LIMITS);
      const found = await inspectDatabase(plain, Date.now(), 1, session);
      const { isGood, detail } = found.find(({ check }) => check === 'session') ?? {};
      assert.equal(isGood, false);
      assert.match(
        String(detail),
        /^not in force: plan_cache_mode, enable_seqscan, enable_hashjoin and 5 more;/,
      );
    } finally {
      await client.end();
    }
  });

  it('refuses settings that the server does not take, and files that are not there, in one line', async () => {
    const place = await good.makePlace();
    for (const [mistake, why] of [
      ['&statement_timeout=abc', /does not take a setting of the database URL/],
      [encodeURIComponent(' -c nosuch=1'), /does not take a setting of the database URL/],
      [encodeURIComponent(' nonsense'), /does not take a setting of the database URL/],
      ['&sslrootcert=/nowhere/ca.pem', /names a file by sslrootcert that cannot be read/],
    ] as const) {
      for (const command of [
        ['doctor'],
        ['db', 'status'],
        ['backup', `${folder.path}/a.backup`, '--portable'],
      ]) {
        const { code, stderr } = await rollcall(...command, '--database-url', place + mistake);
        assert.notEqual(code, 0, mistake);
        assert.match(stderr, /^rollcall: [^\n]+\n$/, mistake);
        assert.match(stderr, why, command.join(' '));
      }
    }
  });

  it('counts the connections that workers need against those that server and role have', async () => {
    const place = await bad.makePlace();
    assert.equal((await ask(place)).found.connections, '21, of which 21 are needed');
    const { found } = await ask(place, '--workers', '2');
    assert.match(found.connections ?? '', /^BAD only 21 of the 37 that are needed; raise max_connections/);
    await good.query('alter role rollcall connection limit 30');
    const limited = await ask(await good.makePlace(), '--workers', '2');
    await good.query('alter role rollcall connection limit -1');
    assert.match(limited.found.connections ?? '', /^BAD only 30 of the 37 /);
  });

  it('tells rights that this user lacks', async () => {
    const place = await good.makePlace();
    await ask(place);
    const [{ schema } = {}] = await good.query('select current_schema() as schema', place);
    await good.query("create role looker login password 'looks'");
    await good.query(`grant usage on schema ${schema} to looker`);
    await good.query(`grant select on all tables in schema ${schema} to looker`);
    const url = new URL(place);
    url.username = 'looker';
    url.password = 'looks';
    const told = await ask(url.href);
    assert.deepEqual(badOnes(told), ['privileges']);
    assert.match(
      told.found.privileges ?? '',
      /^BAD missing: CREATE in the schema, DELETE on audit_events, DELETE on \w+ and \d\d more; give the tables/,
    );
  });

  it('tells an encoding that refuses names, and an index that was not finished', async () => {
    await good.query(
      "create database plain template template0 encoding 'SQL_ASCII' locale_provider libc locale 'C'",
    );
    const url = new URL(good.url());
    url.pathname = '/plain';
    const told = await ask(url.href);
    assert.deepEqual(badOnes(told), ['server_encoding']);
    await good.query(
      "update pg_index set indisvalid = false where indexrelid = (select min(indexrelid::regclass::oid) from pg_index where indrelid = 'users'::regclass)",
      url.href,
    );
    const { found } = await ask(url.href);
    assert.equal(found.indexes, 'BAD 1 are not valid; run reindex');
  });

  it("tells clocks that are apart, and one behind the store's own records", async () => {
    const place = await good.makePlace();
    const store = await openStore({ data: '', databaseUrl: place, dialects: [], now: Date.now, cacheMiB: 8 });
    try {
      const isGood = async (now: number) =>
        Object.fromEntries((await store.inspect(now, 1)).map((each) => [each.check, each.isGood]));
      const { clock, 'clock skew': skew } = await isGood(Date.now());
      assert.deepEqual([clock, skew], [true, true]);
      for (const apart of [60_000, -60_000])
        assert.equal((await isGood(Date.now() + apart))['clock skew'], false);
      assert.equal((await isGood(Date.now() - 600_000)).clock, false);
    } finally {
      await store.close();
    }
  });
});

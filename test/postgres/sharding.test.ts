import assert from 'node:assert/strict';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openEngine } from '../../src/store/open.ts';
import { DISTRIBUTED_TABLES, REFERENCE_TABLES } from '../../src/store/postgres/sharding.ts';
import { rollcall } from '../acceptance/server-process.ts';
import { assertOneLine, succeed } from '../faults/commands.ts';
import { noPostgres, PostgresServer } from './server.ts';

const DISTRIBUTE = ['db', 'distribute', '--database-url'] as const;

describe('rollcall db distribute', { skip: noPostgres }, () => {
  let server: PostgresServer;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-citus-'));
    // The server runs for another user.
    await chmod(folder, 0o755);
    await cp(join(import.meta.dirname, 'citus-double'), folder, { recursive: true });
    server = await PostgresServer.start(`extension_control_path=${folder}:$system`);
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const placed = (place: string) =>
    server.query(
      `select relname::text as name, citus_table_type as kind, distribution_column as key, colocation_id as beside
       from citus_double.placed join pg_class on pg_class.oid = table_name
       where relnamespace = current_schema()::regnamespace order by call`,
      place,
    );

  it('says in one line that there is no Citus', async () => {
    const place = await server.makePlace();
    await succeed('contact-center', 'create', 'north', '--database-url', place);
    const offered = await rollcall(...DISTRIBUTE, place);
    assertOneLine(offered, /create extension citus/, 'offered');
    const bare = await PostgresServer.start();
    try {
      await succeed('contact-center', 'create', 'north', '--database-url', bare.url());
      assertOneLine(await rollcall(...DISTRIBUTE, bare.url()), /has no Citus/, 'bare');
    } finally {
      await bare.stop();
    }
    const file = await rollcall('db', 'distribute', '--data', folder);
    assert.equal(file.code, 2);
    assert.match(file.stderr, /^rollcall: a file cannot be distributed; [^\n]+\n$/);
  });

  it('distributes what is of a contact center, beside each other, and has the rest everywhere', async () => {
    const place = await server.makePlace();
    await server.query('create extension if not exists citus');
    const fresh = await rollcall(...DISTRIBUTE, place);
    assertOneLine(fresh, /run first: rollcall db migrate/, 'not there yet');
    await succeed('contact-center', 'create', 'north', '--database-url', place);

    const told = JSON.parse(await succeed(...DISTRIBUTE, place, '--dry-run', '--json'));
    assert.equal(told.statements.length, REFERENCE_TABLES.length + DISTRIBUTED_TABLES.length);
    assert.deepEqual(await placed(place), []);

    assert.match(await succeed(...DISTRIBUTE, place), /the tables are distributed by contact center\n$/);
    const all = await placed(place);
    assert.deepEqual(
      all.filter(({ kind }) => kind === 'reference').map(({ name }) => name),
      [...REFERENCE_TABLES],
    );
    const spread = all.filter(({ kind }) => kind === 'distributed');
    assert.deepEqual(
      spread.map(({ name }) => name),
      [...DISTRIBUTED_TABLES],
    );
    assert.deepEqual([...new Set(spread.map(({ key }) => key))], ['contact_center_id']);
    assert.equal(new Set(spread.map(({ beside }) => beside)).size, 1);
    const tables = await server.query(
      'select tablename::text as name from pg_tables where schemaname = current_schema() order by 1',
      place,
    );
    assert.deepEqual(
      all.map(({ name }) => String(name)).sort(),
      tables.map(({ name }) => name),
    );

    assert.match(await succeed(...DISTRIBUTE, place), /^there is nothing to do/);
    assert.deepEqual(await placed(place), all);
  });

  it('goes on where it was broken off, and leaves alone what somebody laid otherwise', async () => {
    const place = await server.makePlace();
    await succeed('contact-center', 'create', 'north', '--database-url', place);
    await server.query(
      "select create_reference_table('contact_centers'); select create_reference_table('tokens')",
      place,
    );
    const { statements } = JSON.parse(await succeed(...DISTRIBUTE, place, '--json'));
    assert.equal(statements.length, REFERENCE_TABLES.length + DISTRIBUTED_TABLES.length - 2);
    await server.query(
      "update citus_double.placed set colocation_id = 99 where table_name = 'users'::regclass",
      place,
    );
    assertOneLine(
      await rollcall(...DISTRIBUTE, place),
      /the table users is distributed in another way/,
      'users',
    );
  });

  it('has statements planned for their values, and without Citus once for all', async () => {
    const modeOf = async (databaseUrl: string) => {
      const { engine } = await openEngine({ data: '', databaseUrl, cacheMiB: 8 });
      const sql = "select current_setting('plan_cache_mode')";
      const [row] = await engine
        .read({ name: 'mode', sql, parameters: [] }, {})
        .finally(() => engine.close());
      return row?.[0];
    };
    assert.equal(await modeOf(server.url()), 'auto');
    await server.query('create database without');
    assert.equal(await modeOf(server.url().replace('/postgres', '/without')), 'force_generic_plan');
  });
});

import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { loadModule } from 'libpg-query';
import pg from 'pg';
import { DIALECTS } from '../../src/app.ts';
import type { Statement } from '../../src/store/engine.ts';
import { compileMigration, MIGRATIONS } from '../../src/store/migrations/index.ts';
import { openStore } from '../../src/store/open.ts';
import { COMMAND_LIMITS, readPostgresUrl } from '../../src/store/postgres/place.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { useEverything } from './every-statement.ts';
import { linesOf, type PlanNode, postgresFaultOf } from './postgres-plan-rules.ts';
import { routingOf } from './routing-rules.ts';

const USERS = 50_000;
const RECORDINGS = 50_000;
const RECORD = join(import.meta.dirname, 'plans-postgres.txt');

/** Statements about no contact center in particular: they read what every node of a sharded PostgreSQL has. */
const ACROSS = [
  'access.find_contact_center',
  'access.find_token',
  'access.last_contact_center',
  'access.list_contact_centers',
  'contact_centers.ids',
  'dialects.delete',
  'dialects.list',
  'dialects.set',
  'import_counts.totals',
];

const isOfStore = (name: string) => /^\w+\./.test(name) && !name.startsWith('schema.');

/** The shortest first. */
const compareTexts = (one: string, other: string) => one.length - other.length || (one < other ? -1 : 1);

describe('statements on PostgreSQL', { skip: noPostgres }, () => {
  let server: PostgresServer;
  let place: string;
  /** Every statement that ran, by its text; the first of many lists of rows. */
  const seen = new Map<string, Statement>();
  const observe = (statement: Statement) => void seen.set(statement.sql, statement);
  /** Every statement that the store made, by its text, whether anything here runs it or not. */
  const compiled = new Map<string, Statement>();
  const onCompiled = (statement: Statement) => void compiled.set(statement.sql, statement);

  before(async () => {
    await loadModule();
    server = await PostgresServer.start();
    const places = { large: await server.makePlace(), small: await server.makePlace() };
    place = places.large;
    await useEverything(
      (name, dialects = DIALECTS.map(({ index }) => index)) =>
        openStore({
          data: '',
          databaseUrl: places[name],
          dialects,
          now: () => 0,
          cacheMiB: 8,
          observe,
          onCompiled,
        }),
      USERS,
    );
    await addRecordings();
  });
  after(() => server?.stop());

  /** As many recordings as there are users, of which one in ten is of one user. */
  async function addRecordings(): Promise<void> {
    await server.query(
      `insert into recordings (contact_center_id, number, id, media_id, user_number, lead_id, started_at, state, legal_hold, revocations, created_at)
       select 1, 1000 + n, 'r' || n, 'm' || n, case when n % 10 = 0 then 1 else 1 + n % 20000 end, n % 9000,
         1700000000000 + n * 1000, 'stored', 0, 0, 1700000000000
       from generate_series(1, ${RECORDINGS}) as n`,
      place,
    );
  }

  it('are all run here', () => {
    assert.deepEqual(
      [...compiled.values()].filter(({ sql }) => !seen.has(sql)).map(({ name, sql }) => `${name}\n${sql}`),
      [],
    );
  });

  it('are served by one node of a sharded PostgreSQL each', () => {
    assert.ok(seen.size > 150, `${seen.size} statements ran`);
    const all = [...new Map([...compiled, ...seen]).values()];
    const faults = all.flatMap((statement) =>
      routingOf(statement).faults.map(
        (fault) => `${statement.name} ${fault}\n${statement.sql.slice(0, 1000)}`,
      ),
    );
    assert.deepEqual(faults, []);
    const across = all.filter(({ name }) => isOfStore(name)).filter((each) => !routingOf(each).isRouted);
    assert.deepEqual([...new Set(across.map(({ name }) => name))].sort(), ACROSS);
  });

  it('are told as faults where they are not', () => {
    const parameters = ['cc', 'n', 'other'];
    for (const sql of [
      'select number from users where number = $2',
      'select number from users where contact_center_id = $1 or number = $2',
      'select number from users where contact_center_id > $1',
      'select number from users where contact_center_id = number',
      'select 1 from users as u join roles as r on r.number = u.role_number where u.contact_center_id = $1',
      'select 1 from users as u left join roles as r on r.contact_center_id = u.contact_center_id where u.contact_center_id = $1',
      'select 1 from users where contact_center_id = $1 and number in (select user_number from user_extensions)',
      'select 1 from users where contact_center_id = $1 and number in (select number from user_terms where contact_center_id = $3)',
      'select number from users where contact_center_id = $1 union select number from roles',
      'select max(at) from (select max(created_at) as at from users) as m',
      'select label from tokens join users on users.contact_center_id = tokens.contact_center_id where hash = $2',
      'select 1 from somewhere where contact_center_id = $1',
      'update users set version = 1 where number = $2',
      'update users set contact_center_id = $3 where contact_center_id = $1',
      'delete from user_terms where dialect = $2',
      'insert into teams (number) values ($2)',
      'insert into teams (contact_center_id, number) select $1, $2',
      'insert into teams (contact_center_id, number) values ($1, $2), ($3, $2)',
      'create table teams (number integer primary key, contact_center_id integer)',
      'create table teams (contact_center_id integer, name text unique)',
      'create table teams (contact_center_id bigint)',
      'create table teams (number integer)',
      'create table teams (contact_center_id integer, number serial)',
      "create table teams (contact_center_id integer, number integer default nextval('s'))",
      "insert into teams (contact_center_id, number) values ($1, nextval('s'))",
      "update teams set number = pg_catalog.nextval('s') where contact_center_id = $1",
      "select nextval('s')",
      "alter table users alter column number set default nextval('s')",
      'create table teams (contact_center_id integer, number integer generated always as identity)',
      'create table teams (contact_center_id integer, number integer references roles (number))',
      'create table teams (contact_center_id integer, number integer, foreign key (contact_center_id, number) references roles (number, contact_center_id))',
      'create table tokens (contact_center_id integer, number integer, foreign key (contact_center_id, number) references users (contact_center_id, number))',
      'create table elsewhere (contact_center_id integer)',
      'create unique index teams_name on teams (name_key)',
      'alter table users add column other text unique',
      'alter table users drop column email',
      'create sequence numbers',
      'create trigger touch after insert on users for each row execute function touch()',
    ]) {
      assert.notDeepEqual(routingOf({ sql, parameters }).faults, [], sql);
    }
  });

  it('make tables that can be sharded', () => {
    const faults = MIGRATIONS.flatMap((migration) =>
      compileMigration(migration, 'postgres').flatMap((sql) =>
        routingOf({ sql, parameters: [] }).faults.map((fault) => `${migration.name} ${fault}\n${sql}`),
      ),
    );
    assert.deepEqual(faults, []);
  });

  async function planOf(client: pg.Client, sql: string): Promise<PlanNode> {
    const { rows } = await client.query(`explain (generic_plan, costs off, format json) ${sql}`);
    return rows[0]['QUERY PLAN'][0].Plan;
  }

  async function connect(): Promise<pg.Client> {
    const { connectionString } = readPostgresUrl(place).config(COMMAND_LIMITS, 'read');
    const client = new pg.Client({ connectionString });
    await client.connect();
    return client;
  }

  it('find rows by their keys, as plans-postgres.txt has it; ROLLCALL_WRITE_PLANS=1 writes it', async () => {
    const client = await connect();
    try {
      const faults: string[] = [];
      const shown = new Map<string, { readonly sql: string; readonly lines: string[] }>();
      for (const { name, sql } of [...seen.values()].filter((each) => isOfStore(each.name))) {
        const plan = await planOf(client, sql);
        const lines = linesOf(plan);
        const fault = postgresFaultOf(name, plan);
        if (fault !== null) faults.push(`${name} ${fault}\n${sql.slice(0, 1000)}\n${lines.join('\n')}`);
        const known = shown.get(name);
        if (known === undefined || compareTexts(sql, known.sql) < 0) shown.set(name, { sql, lines });
      }
      assert.deepEqual(faults, []);
      const plans = [...shown].sort(([a], [b]) => (a < b ? -1 : 1));
      const sections = plans.map(([name, { sql, lines }]) => ({
        head: `${name}\n${sql}`,
        body: lines.join('\n'),
      }));
      if (process.env.ROLLCALL_WRITE_PLANS === '1') {
        await writeFile(RECORD, sections.map(({ head, body }) => `${head}\n${body}\n`).join('\n'));
      }
      const known = (await readFile(RECORD, 'utf8')).split('\n\n').map((section) => section.trimEnd());
      // Those that are new, or are said otherwise now, are written when it is next written.
      const compared = sections.filter(({ head }) =>
        known.some((section) => section.startsWith(`${head}\n`)),
      );
      assert.ok(compared.length > 50, `${compared.length} are in the record`);
      const changed = compared.filter(({ head, body }) => !known.includes(`${head}\n${body}`));
      assert.deepEqual(changed, []);
    } finally {
      await client.end();
    }
  });

  it('have plans that are told as faults where they walk', async () => {
    const client = await connect();
    try {
      for (const sql of [
        'select max(version) from users as u',
        'select number from users where contact_center_id = $1',
        'select number from users where contact_center_id = $1 and first_name = $2',
        'select number from user_terms where contact_center_id = $1 and dialect = $2',
        'select count(*) from dialect_numbers as d where d.contact_center_id = $1',
        'delete from tokens where label = $1',
        'select max(seconds) from recordings where contact_center_id = $1 and seconds > $2',
        'select number from recordings where contact_center_id = $1 and state = $2',
      ]) {
        assert.notEqual(postgresFaultOf('any', await planOf(client, sql)), null, sql);
      }
    } finally {
      await client.end();
    }
  });
});

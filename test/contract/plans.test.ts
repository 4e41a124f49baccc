import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { DIALECTS } from '../../src/app.ts';
import { openStore, storePath } from '../../src/store/open.ts';
import { type OpenIn, useEverything } from './every-statement.ts';
import { faultOf } from './plan-rules.ts';

const USERS = 50_000;
const RECORD = join(import.meta.dirname, 'plans.txt');

/** Statements that requests wait for, whose plans a reader of a change should see change. */
const HOT = [
  'access.find_token',
  'audit_events.page',
  'dialect_numbers.of_users',
  'letting.by_media_ids',
  'letting.by_numbers',
  'letting.count_held',
  'letting.due_archive',
  'letting.due_given_up',
  'letting.due_key',
  'letting.due_own_end',
  'letting.due_pending',
  'letting.due_retention',
  'letting.forget_key',
  'letting.leftovers',
  'letting.moving',
  'letting.whereabouts',
  'number_counts.blocks',
  'number_counts.total',
  'number_counts.within',
  'recording_counts.by_day',
  'recording_counts.total',
  'recordings.by_numbers',
  'recordings.find',
  'recordings.find_by_key',
  'recordings.first_own_end',
  'recordings.first_retained',
  'recordings.lead_jump',
  'recordings.lead_page',
  'recordings.live_page',
  'recordings.live_rest',
  'recordings.merged',
  'recordings.of_users',
  'recordings.own_ends',
  'recordings.purged_page',
  'recordings.retained_of_users',
  'recordings.retained_rest',
  'recordings.store',
  'recordings.user_list',
  'recordings.user_page',
  'recordings.user_rest',
  'roles.by_name',
  'signing_keys.current',
  'signing_keys.find',
  'teams.names',
  'user_terms.window',
  'users.any_of_count',
  'users.any_of_page',
  'users.filtered_page',
  'users.find_by_dialect_number',
  'users.find_by_email',
  'users.find_by_extension',
  'users.find_by_id',
  'users.find_by_login_id',
  'users.find_by_number',
  'users.flagged_page',
  'users.numbered',
  'users.page',
  'users.update',
  'users.whole',
  'users.whole_page',
] as const;

/** Every statement that ran, by its text. */
const seen = new Map<string, string>();
const observe = (statement: { readonly name: string; readonly sql: string }) => {
  if (!statement.name.startsWith('schema.')) seen.set(statement.sql, statement.name);
};
/** Every statement that the store made, by its text, whether anything here runs it or not. */
const compiled = new Map<string, string>();
const onCompiled = (statement: { readonly name: string; readonly sql: string }) => {
  compiled.set(statement.sql, statement.name);
};

describe('plans of statements on 50,000 users', () => {
  let folder: string;
  let db: Database.Database;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-plans-'));
    const openIn: OpenIn = (place, dialects = DIALECTS.map((dialect) => dialect.index)) =>
      openStore({ data: join(folder, place), dialects, now: () => 0, cacheMiB: 64, observe, onCompiled });
    await useEverything(openIn, USERS);
    db = new Database(storePath(join(folder, 'large')), { readonly: true });
  });

  after(async () => {
    db?.close();
    await rm(folder, { recursive: true, force: true });
  });

  function planOf(sql: string): string[] {
    const statement = db.prepare(`explain query plan ${sql}`);
    const nulls = Array.from({ length: sql.split('?').length - 1 }, () => null);
    const rows = statement.all(nulls) as { id: number; parent: number; detail: string }[];
    const depths = new Map<number, number>([[0, -1]]);
    return rows.map(({ id, parent, detail }) => {
      const depth = (depths.get(parent) ?? -1) + 1;
      depths.set(id, depth);
      return '  '.repeat(depth) + detail;
    });
  }

  it('are those of every statement that was made', () => {
    assert.ok(compiled.size > 150, `${compiled.size} statements were made`);
    const unrun = [...compiled].filter(([sql]) => !seen.has(sql)).map(([sql, name]) => `${name}\n${sql}`);
    assert.deepEqual(unrun, []);
  });

  it('walk no table that grows with the directory', () => {
    const names = new Set(seen.values());
    for (const name of HOT) assert.ok(names.has(name), `${name} was never run`);
    const faults = [...seen].flatMap(([sql, name]) => {
      const plan = planOf(sql);
      const fault = faultOf(name, sql, plan);
      return fault === null ? [] : [`${name} ${fault}\n${sql.slice(0, 2000)}\n${plan.join('\n')}`];
    });
    assert.deepEqual(faults, []);
  });

  it('are not made anew each time that they run', () => {
    // SQLite looks at a value that is bound to a limit, and prepares again when it changes or is bound again.
    const bound = [...seen].filter(([sql]) => /\b(limit|offset) \?/.test(sql)).map(([, name]) => name);
    assert.deepEqual(bound, []);
  });

  it('are told as faults where they walk one', () => {
    for (const sql of [
      'select max("version") from "users" as "u"',
      'select "number" from "users" where "contact_center_id" = ?',
      'select "number" from "users" where "contact_center_id" = ? and "first_name" = ?',
      'select "number" from "user_terms" where "contact_center_id" = ? and "dialect" = ?',
      'select count(*) from "dialect_numbers" as "d" where "d"."contact_center_id" = ?',
      'delete from "tokens" where "label" = ?',
      'select max("seconds") from "recordings" where "contact_center_id" = ? and "seconds" > ?',
      'select "number" from "recordings" where "contact_center_id" = ? and "state" = ?',
    ]) {
      assert.notEqual(faultOf('any', sql, planOf(sql)), null, sql);
    }
  });

  it(`are those of plans.txt; a change that is meant is written there with ROLLCALL_WRITE_PLANS=1`, async () => {
    const sections = HOT.map((name) => {
      const variants = [...seen].filter(([, each]) => each === name).map(([sql]) => sql);
      const [shortest] = variants.sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
      return `${name}\n${shortest}\n${planOf(shortest ?? '').join('\n')}\n`;
    });
    const text = sections.join('\n');
    if (process.env.ROLLCALL_WRITE_PLANS === '1') await writeFile(RECORD, text);
    assert.equal(text, await readFile(RECORD, 'utf8'));
  });
});

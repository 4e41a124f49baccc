import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { createToken } from '../../src/access/tokens.ts';
import { DIALECTS, FORMATS } from '../../src/app.ts';
import { demoPerson, demoRows } from '../../src/directory/demo.ts';
import { exportUsers } from '../../src/directory/export.ts';
import { importUsers, type SourceRow } from '../../src/directory/import.ts';
import { native } from '../../src/directory/native.ts';
import { FILTERS, FLAGS, type Match, type UserField } from '../../src/directory/query.ts';
import { Failure } from '../../src/errors.ts';
import { openStore, type Store, storePath } from '../../src/store/open.ts';
import { useRecordings } from './every-recording-query.ts';
import { idOf } from './people.ts';
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
  'letting.due_own_end',
  'letting.due_pending',
  'letting.due_retention',
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
  'recordings.lead_jump',
  'recordings.lead_page',
  'recordings.live_page',
  'recordings.live_rest',
  'recordings.merged',
  'recordings.of_users',
  'recordings.purged_page',
  'recordings.store',
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

describe('plans of statements on 50,000 users', () => {
  let folder: string;
  let db: Database.Database;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-plans-'));
    const store = await openIn('large');
    try {
      const contactCenter = await store.access.createContactCenter('north', 'Europe/Istanbul', 0);
      await load(store, 'north', demoRows(USERS));
      assert.equal(await store.pages.count(contactCenter), USERS);
      await readPages(store);
      await writeUsers(store);
      await useAccess(store);
      await useRecordings(store, contactCenter);
    } finally {
      await store.close();
    }
    await fill();
    db = new Database(storePath(join(folder, 'large')), { readonly: true });
  });

  after(async () => {
    db?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const openIn = (place: string, dialects = DIALECTS.map((dialect) => dialect.index)): Promise<Store> =>
    openStore({ data: join(folder, place), dialects, now: () => 0, cacheMiB: 64, observe });

  async function need(store: Store) {
    const found = await store.access.findContactCenter('north');
    assert.ok(found);
    return found;
  }

  async function load(store: Store, name: string, rows: AsyncIterable<SourceRow>, dryRun = false) {
    const contactCenter = await store.access.findContactCenter(name);
    assert.ok(contactCenter);
    let next = 900_000;
    return importUsers(store.writer, rows, {
      contactCenter,
      formatOf: (first) => FORMATS.find((format) => format.recognises(first)) ?? native,
      dialects: DIALECTS.map((dialect) => dialect.name),
      now: () => 0,
      newId: () => {
        next += 1;
        return idOf(next);
      },
      dryRun,
      onRefused: () => {},
      onProgress: () => {},
    });
  }

  /** Pages of every kind, with little and with all that a dialect reads. */
  async function readPages(store: Store): Promise<void> {
    const contactCenter = await need(store);
    const page = (
      dialect: string,
      match: Match,
      place: { after?: number; offset?: number; limit: number },
      // What a page of encoded users reads first.
      fields: readonly UserField[] = ['version'],
      count: 'none' | 'exact' = 'none',
    ) => store.pages.page(contactCenter, { dialect, match, ...place, count, fields });

    for (const { formats, name } of DIALECTS) {
      await page(name, { kind: 'everyone' }, { limit: 20 });
      for (const { fields } of formats) {
        await page(name, { kind: 'everyone' }, { limit: 20 }, fields, 'exact');
        await page(name, { kind: 'everyone' }, { offset: 45_000, limit: 20 }, fields);
        await page(name, { kind: 'everyone' }, { after: 45_000, limit: 20 }, fields);
        await page(name, { kind: 'numbered', numbers: [7, 9000, 45_000] }, { limit: 3 }, fields);
      }
    }
    for (const texts of [
      ['adler'],
      ['7'],
      ['adler', '7'],
      Array.from({ length: 500 }, (_, at) => `name ${at}`),
    ]) {
      for (const fields of [['version'], ...(DIALECTS[0]?.formats.map((format) => format.fields) ?? [])]) {
        await page(
          'convoso',
          { kind: 'any-of', texts },
          { offset: 40, limit: 20 },
          fields as UserField[],
          'exact',
        );
      }
    }
    for (const flag of FLAGS) {
      for (const value of [true, false]) {
        await page('smartflo', { kind: 'flagged', flags: { [flag]: value } }, { after: 9000, limit: 20 });
      }
    }
    const all = Object.fromEntries(FLAGS.map((flag) => [flag, true]));
    await page('smartflo', { kind: 'flagged', flags: all }, { limit: 20 });
    const values = { ...(await someone(store)), timezone: 'Lisbon', role: 'Agent', callerIdGroup: 'India' };
    for (const [at, first] of FILTERS.entries()) {
      await page('voiso', { kind: 'filtered', filters: { [first]: values[first] } }, { limit: 20 });
      await page(
        'voiso',
        { kind: 'filtered', number: 7, filters: { [first]: values[first] } },
        { limit: 20 },
      );
      for (const second of FILTERS.slice(at + 1)) {
        const filters = { [first]: values[first], [second]: values[second] };
        await page('voiso', { kind: 'filtered', filters }, { limit: 20 });
        await page(
          'voiso',
          { kind: 'filtered', filters },
          { limit: 20 },
          DIALECTS[1]?.formats[0]?.fields ?? [],
        );
      }
    }
    await page('voiso', { kind: 'filtered', number: 7, filters: {} }, { limit: 20 });
    await page('voiso', { kind: 'filtered', filters: values }, { limit: 20 });
    await store.pages.pageByNumber(contactCenter, 49_000, 500);
    await store.pages.lastNumber(contactCenter, 'voiso');
    for (const format of FORMATS) {
      const pieces = exportUsers(store.pages, contactCenter, format, 0);
      await pieces.next();
      await pieces.next();
      await pieces.return(undefined);
    }
  }

  async function someone(store: Store) {
    const [user] = await store.pages.pageByNumber(await need(store), 10, 1);
    assert.ok(user);
    return {
      name: `${user.firstName} ${user.lastName}`,
      email: user.email ?? '',
      sipAccount: user.sipAccount ?? '',
      extension: user.extensions[0] ?? '',
    };
  }

  /** Rows that make, change, renumber and refuse users, in every format. */
  async function writeUsers(store: Store): Promise<void> {
    const rows = async function* (values: readonly object[]): AsyncGenerator<SourceRow> {
      for (const [at, value] of values.entries()) {
        yield { line: at + 1, text: '', value: value as Extract<SourceRow, { value: unknown }>['value'] };
      }
    };
    const { email } = demoPerson(12);
    const loads = [
      [
        { ...demoPerson(10), firstName: 'New', email: 'new@example.com', extensions: ['55'], teams: ['New'] },
        { firstName: 'Made', role: 'Made', email: 'made@example.com', loginId: 'made' },
        { number: 11, dialectNumbers: { convoso: 777_777, voiso: 20_000, smartflo: 11 } },
        { number: 1, id: demoPerson(2).id },
      ],
      [{ id: 12, email, first_name: 'A', acl_access_profile: 1, user_level: 1, extension: [1] }],
      [{ id: 999_999, email, name: 'B', sag: 'Agent', assigned_teams: '1' }],
      [{ id: 999_998, login_id: email, name: 'C', user_status: 1, user_role: { id: 1, name: 'Agent' } }],
    ];
    for (const values of loads) await load(store, 'north', rows(values));
    await load(store, 'north', demoRows(700), true);
  }

  async function useAccess(store: Store): Promise<void> {
    const contactCenter = await need(store);
    const { token } = await createToken(
      store.access,
      { now: () => 0, newId: () => idOf(1) },
      { contactCenter, label: 'a', scopes: ['users:read'], dialects: null, expiresIn: null },
    );
    await store.access.findToken('0');
    await store.access.tokens(contactCenter);
    await store.access.revokeToken(token.id, 1);
    await store.access.dropExpiredTokens(contactCenter, 1);
    await store.access.contactCenters();
    await store.access.setSetting(contactCenter, 'timezone', 'UTC');
    await assert.rejects(store.access.createContactCenter('north', 'UTC', 0), Failure);
    const signing = await store.signingKeys.current(contactCenter, 0);
    await store.signingKeys.find(contactCenter.id, signing.id);
    await store.signingKeys.rotate(
      contactCenter,
      1,
      { endLinks: true },
      { at: 1, actor: { kind: 'cli' }, action: 'key.rotated', subject: null, outcome: 'done', details: {} },
    );
    await store.importTotals();
    await store.ping();
  }

  /** The statements that fill a new dialect run in a small store; the large one shows their plans as well. */
  async function fill(): Promise<void> {
    let store = await openIn('small');
    await store.access.createContactCenter('north', 'UTC', 0);
    await load(store, 'north', demoRows(600));
    await store.close();
    store = await openIn('small', [
      { name: 'voiso', searches: ['names'] },
      { name: 'new', searches: ['flags'] },
    ]);
    await store.close();
  }

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

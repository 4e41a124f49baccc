import assert from 'node:assert/strict';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { createToken } from '../../src/access/tokens.ts';
import { DIALECTS, FORMATS } from '../../src/app.ts';
import { demoPerson, demoRows } from '../../src/directory/demo.ts';
import { exportUsers } from '../../src/directory/export.ts';
import { importUsers, type SourceRow } from '../../src/directory/import.ts';
import { native } from '../../src/directory/native.ts';
import type { DialectIndex } from '../../src/directory/query.ts';
import { FILTERS, FLAGS, type Match, type UserField } from '../../src/directory/query.ts';
import { Failure } from '../../src/errors.ts';
import type { Store } from '../../src/store/open.ts';
import { useRecordings } from './every-recording-query.ts';
import { idOf } from './people.ts';

/** Opens a store in a place of that name, with all dialects or these. */
export type OpenIn = (place: 'large' | 'small', dialects?: readonly DialectIndex[]) => Promise<Store>;

/**
 * Does everything that a store can do, so that each of its statements runs: in a large store, which is left
 * with that many users, and where only a new dialect runs them in a small one.
 */
export async function useEverything(openIn: OpenIn, users: number): Promise<void> {
  const store = await openIn('large');
  try {
    const contactCenter = await store.access.createContactCenter('north', 'Europe/Istanbul', 0);
    await load(store, 'north', demoRows(users));
    assert.equal(await store.pages.count(contactCenter), users);
    await readPages(store);
    await writeUsers(store);
    await useAccess(store);
    await useRecordings(store, contactCenter);
  } finally {
    await store.close();
  }
  await fill(openIn);
}

async function need(store: Store): Promise<ContactCenter> {
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
    await page('voiso', { kind: 'filtered', number: 7, filters: { [first]: values[first] } }, { limit: 20 });
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
async function fill(openIn: OpenIn): Promise<void> {
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

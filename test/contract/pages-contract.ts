import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import {
  FILTERS as FILTER_NAMES,
  type Filter,
  FLAGS,
  type Flag,
  type Match,
} from '../../src/directory/query.ts';
import { shownName } from '../../src/directory/user.ts';
import { COUNT, crowd, matches } from './crowd.ts';
import { ALL, addUsers, FILTERS, FLAGGED, NAMES } from './people.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

/** Every page of the contract, against the slow way. */
export function describePages(engine: EngineUnderTest): void {
  describe('pages', () => {
    const opened = useStore(engine);
    const users = crowd();
    let contactCenter: ContactCenter;

    before(async () => {
      contactCenter = await opened.contactCenter();
      // Another tenant has the same people: whatever leaks shows as a double.
      const other = await opened.contactCenter();
      await addUsers(opened.store, other, users.slice(0, 100));
      await addUsers(opened.store, contactCenter, users);
    });

    const worked = new WeakMap<Match, number[]>();
    const expected = (dialect: string, match: Match): number[] => {
      const known =
        worked.get(match) ??
        users
          .filter((user) => matches(user, dialect, match))
          .map((user) => user.dialectNumbers[dialect] ?? 0)
          .sort((a, b) => a - b);
      // An everyone-match is asked of several dialects.
      if (match.kind !== 'everyone') worked.set(match, known);
      return known;
    };

    async function checkPage(
      dialect: string,
      match: Match,
      place: { readonly after?: number; readonly offset?: number; readonly limit: number },
    ): Promise<number[]> {
      const { after = 0, offset = 0, limit } = place;
      const rest = expected(dialect, match)
        .filter((number) => number > after)
        .slice(offset);
      const page = await opened.store.pages.page(contactCenter, {
        dialect,
        match,
        ...place,
        count: 'none',
        fields: ['number'],
      });
      const numbers = page.users.map((user) => user.dialectNumber);
      assert.deepEqual(numbers, rest.slice(0, limit), JSON.stringify({ match, place }));
      assert.equal(page.hasMore, rest.length > limit, `hasMore of ${JSON.stringify({ match, place })}`);
      assert.equal(page.total, null);
      for (const user of page.users) {
        assert.equal(users[user.number - 1]?.dialectNumbers[dialect], user.dialectNumber);
      }
      return rest;
    }

    /** First, middle and last pages by `after`, and one by `offset`. */
    async function checkWalk(dialect: string, match: Match, limit: number): Promise<void> {
      const all = await checkPage(dialect, match, { limit });
      for (const at of [
        0,
        Math.floor(all.length / 2),
        all.length - limit - 1,
        all.length - limit,
        all.length - 1,
      ]) {
        await checkPage(dialect, match, { after: all[at] ?? 0, limit });
      }
      await checkPage(dialect, match, { after: 2 ** 31 - 1, limit });
    }

    it('gives everyone in the order of each dialect', async () => {
      for (const { name } of ALL) {
        await checkWalk(name, { kind: 'everyone' }, 20);
        await checkPage(name, { kind: 'everyone' }, { limit: COUNT });
        await checkPage(name, { kind: 'everyone' }, { limit: COUNT - 1 });
      }
    });

    it('knows nobody in a dialect that it has not met', async () => {
      const page = await opened.store.pages.page(contactCenter, {
        dialect: 'omega',
        match: { kind: 'everyone' },
        limit: 10,
        offset: 1,
        count: 'exact',
        fields: ['number'],
      });
      assert.deepEqual(page, { users: [], hasMore: false, total: 0 });
      assert.equal(await opened.store.pages.lastNumber(contactCenter, 'omega'), null);
    });

    it('finds any of a list of texts, each user once, in order, with a total', async () => {
      const lists: string[][] = [
        ['ada'],
        ['ADA', ' ada ', 'Ada'],
        ['ada last1'],
        ['person7@example.COM'],
        ['person7@example.com', '4994', 'émile'],
        ['E\u0301MILE'],
        ['i\u0307pek', 'İPEK'],
        ['4999', '04999', '+4999', '4999.0', '1e3', '5000'],
        ['0', '-1', '99999999999999999999', '9999999999'],
        ['O%_*'],
        ['O%', '%', '_', '*', 'Last'],
        ["d'arc", "' or 1=1 --"],
        ['nobody'],
        ['null', 'undefined', ''],
        ['a\0b', '\ud800', 'zoë'],
        ['zoë\0'],
        Array.from({ length: 500 }, (_, at) => `Person${at * 3 + 1}@example.com`),
        Array.from({ length: 500 }, (_, at) => String(at * 9 + 1)),
      ];
      for (const texts of lists) {
        const match: Match = { kind: 'any-of', texts };
        const all = await checkPage(NAMES.name, match, { limit: 20 });
        await checkPage(NAMES.name, match, { limit: 1000 });
        for (const offset of [
          1,
          19,
          all.length - 20,
          all.length - 1,
          all.length,
          all.length + 1,
          COUNT * 2,
        ]) {
          if (offset >= 0) await checkPage(NAMES.name, match, { offset, limit: 20 });
        }
        const page = await opened.store.pages.page(contactCenter, {
          dialect: NAMES.name,
          match,
          offset: all.length,
          limit: 1,
          count: 'exact',
          fields: [],
        });
        assert.equal(page.total, all.length, `total of ${JSON.stringify(texts).slice(0, 80)}`);
      }
    });

    it('filters by every combination of flags', async () => {
      const values = [undefined, true, false] as const;
      for (let code = 0; code < 3 ** FLAGS.length; code += 1) {
        const flags: Partial<Record<Flag, boolean>> = {};
        for (const [at, flag] of FLAGS.entries()) {
          const value = values[Math.floor(code / 3 ** at) % 3];
          if (value !== undefined) flags[flag] = value;
        }
        await checkWalk(FLAGGED.name, { kind: 'flagged', flags }, 9);
      }
    });

    /** Values of a user, spelt in another case, and values that nobody has. */
    const VALUES: Readonly<Record<Filter, readonly string[]>> = {
      name: ['ADA LAST1', 'shown 2', 'o%_* Last3', 'Ada', '%'],
      email: ['person1024@EXAMPLE.com', 'person3@example.com'],
      sipAccount: ['SIP1@sip', 'sip1'],
      role: ['agent', 'NIGHT shift', 'öĞretmen', 'Nobody'],
      extension: ['10001', '91024', '1'],
      callerIdGroup: ['GROUP 1', 'group 0', 'group'],
      timezone: ['istanbul', 'Europe/Istanbul', 'new york', 'EUROPE/istanbul', 'Nowhere/Istanbul', 'UTC'],
    };

    it('filters by each value alone', async () => {
      for (const filter of FILTER_NAMES) {
        for (const value of VALUES[filter]) {
          const match: Match = { kind: 'filtered', filters: { [filter]: value } };
          await checkWalk(FILTERS.name, match, 20);
          for (const offset of [1, 700]) await checkPage(FILTERS.name, match, { offset, limit: 20 });
        }
      }
      for (const number of [3, 3 * COUNT, 1, 0, 2 ** 40]) {
        const match: Match = { kind: 'filtered', number, filters: {} };
        await checkWalk(FILTERS.name, match, 1);
        await checkPage(FILTERS.name, match, { offset: 1, limit: 1 });
      }
    });

    it('filters by pairs of values, through more than one window', async () => {
      for (const [at, first] of FILTER_NAMES.entries()) {
        for (const second of FILTER_NAMES.slice(at + 1)) {
          for (const a of VALUES[first]) {
            for (const b of VALUES[second]) {
              const match: Match = { kind: 'filtered', filters: { [first]: a, [second]: b } };
              const all = await checkPage(FILTERS.name, match, { limit: 3 });
              if (all.length === 0) continue;
              await checkPage(FILTERS.name, match, { after: all[Math.floor(all.length / 2)] ?? 0, limit: 3 });
              await checkPage(FILTERS.name, match, {
                offset: all.length - 2 > 0 ? all.length - 2 : 0,
                limit: 3,
              });
              await checkPage(FILTERS.name, match, { limit: COUNT });
            }
          }
        }
      }
    });

    it('filters by all values at once, and by a number with a value', async () => {
      const filters = {
        name: 'person',
        email: 'person1024@example.com',
        sipAccount: 'sip1024@sip',
        role: 'agent',
        extension: '91024',
        callerIdGroup: 'group 0',
        timezone: 'istanbul',
      };
      const user = users[1023];
      assert.ok(user);
      const found = { ...filters, name: shownName(user) };
      // 1024 has no SIP account: every filter but one holds.
      await checkPage(FILTERS.name, { kind: 'filtered', filters: found }, { limit: 5 });
      const { sipAccount: _, ...rest } = found;
      const all = await checkPage(FILTERS.name, { kind: 'filtered', filters: rest }, { limit: 5 });
      assert.equal(all.length, 1);
      for (const number of [3072, 3075]) {
        for (const [filter, value] of Object.entries(found)) {
          await checkPage(
            FILTERS.name,
            { kind: 'filtered', number, filters: { [filter]: value } },
            { limit: 5 },
          );
        }
      }
    });

    it('matches nobody by a text that cannot be stored', async () => {
      for (const filter of FILTER_NAMES) {
        for (const value of ['\0', 'Ada\0', '\ud800', 'x'.repeat(10_000), "'; drop table users; --"]) {
          await checkPage(FILTERS.name, { kind: 'filtered', filters: { [filter]: value } }, { limit: 5 });
        }
      }
    });

    it('gives the fields that were asked for, as they were written', async () => {
      const page = await opened.store.pages.page(contactCenter, {
        dialect: FILTERS.name,
        match: { kind: 'everyone' },
        limit: 13,
        count: 'exact',
        fields: ['email', 'role', 'extensions', 'displayName', 'timezone'],
      });
      assert.equal(page.total, COUNT);
      assert.deepEqual(
        page.users,
        users.slice(0, 13).map((user) => ({
          dialectNumber: user.number * 3,
          email: user.email,
          role: { number: user.role.number, name: user.role.name },
          extensions: user.extensions,
          displayName: user.displayName,
          timezone: user.timezone,
        })),
      );
    });

    it('gives whole users by their own number', async () => {
      const page = await opened.store.pages.pageByNumber(contactCenter, 17, 30);
      assert.deepEqual(page, users.slice(17, 47));
      assert.deepEqual(await opened.store.pages.pageByNumber(contactCenter, COUNT, 30), []);
      assert.equal(await opened.store.pages.count(contactCenter), COUNT);
      assert.equal(await opened.store.pages.lastNumber(contactCenter, 'gamma'), COUNT * 400_000);
    });
  });
}

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { RecordingQuery } from '../../src/recordings/query.ts';
import type { Store } from '../../src/store/open.ts';
import { ALL, addUsers, person } from './people.ts';
import type { EngineUnderTest } from './store-contract.ts';

/** More than one statement passes at once, twice and some. */
const MANY = 45_000;
const USERS = 100;
const FIRST = Date.UTC(2026, 0, 1);
/** A new start every so many recordings, three of which share it. */
const STEP = 3 * 30_000;

/** The recording of a number, as `fill` makes it: every third one is a tombstone, and one lead has all others. */
const startOf = (number: number) => FIRST + Math.floor(number / 3) * STEP;
const userOf = (number: number) => (number % USERS) + 1;
const isPurged = (number: number) => number % 3 === 0;

/** Rows straight into the tables, for one contact center. */
const fill = (cc: number) => `
  insert into recordings (contact_center_id, number, id, media_id, user_number, lead_id, started_at, state, legal_hold, revocations, created_at)
  with recursive n(i) as (select 1 union all select i + 1 from n where i < ${MANY})
  select ${cc}, i, 'r' || i, 'r' || i, case when i % 3 = 0 then null else i % ${USERS} + 1 end, case when i % 3 = 0 then null else 8 end,
    ${FIRST} + (i / 3) * ${STEP}, case when i % 3 = 0 then 'purged' else 'stored' end, 0, 0, 0 from n;
  insert into recording_counts (contact_center_id, user_number, day, count)
  select ${cc}, 0, started_at / 86400000, count(*) from recordings
    where contact_center_id = ${cc} and user_number is not null group by 3
  union all select ${cc}, user_number, started_at / 86400000, count(*) from recordings
    where contact_center_id = ${cc} and user_number is not null group by 2, 3;
  update contact_centers set next_recording_number = ${MANY + 1} where contact_center_id = ${cc}`;

/** Recordings in such numbers that no statement may pass them all. */
export function describeManyRecordings(engine: EngineUnderTest): void {
  describe(`${MANY} recordings`, () => {
    let place = '';
    let store: Store;
    let contactCenter: ContactCenter;
    before(async () => {
      place = await engine.makePlace();
      store = await engine.open(place, ALL);
      const made = await store.access.createContactCenter('north', 'UTC', 0);
      await addUsers(
        store,
        made,
        Array.from({ length: USERS }, (_, at) => person(at + 1)),
      );
      await engine.execute(place, fill(made.id));
      contactCenter = (await store.access.findContactCenter('north')) ?? made;
    });
    after(async () => {
      await store?.close();
      await engine.dropPlace(place);
    });

    const live = (number: number) => !isPurged(number);
    const numbers = Array.from({ length: MANY }, (_, at) => at + 1);
    const everyUser = Array.from({ length: USERS }, (_, at) => at + 1);
    const some = [3, 99, 4];
    const cases: [string, Partial<RecordingQuery>, (number: number) => boolean][] = [
      ['of everyone', {}, live],
      ['of a lead', { leadId: 8 }, live],
      ['of one user', { userNumbers: [7] }, (number) => live(number) && userOf(number) === 7],
      ['of three users', { userNumbers: some }, (number) => live(number) && some.includes(userOf(number))],
      ['of every user', { userNumbers: everyUser }, live],
      [
        "of a user's lead",
        { leadId: 8, userNumbers: some },
        (number) => live(number) && some.includes(userOf(number)),
      ],
      ['that were let go', { states: ['purged'] }, isPurged],
      ['of all states', { states: ['pending', 'stored', 'archived', 'purged'] }, () => true],
    ];
    for (const [what, query, matches] of cases) {
      it(`${what} are found at any offset and counted, in any range`, async () => {
        const ranges = [
          {},
          { from: startOf(20_000) },
          { to: startOf(20_000) },
          { from: startOf(100) + 1, to: startOf(44_000) - 1 },
          { from: startOf(900), to: startOf(903) },
        ];
        for (const { from = 0, to = Number.MAX_SAFE_INTEGER, ...rest } of ranges) {
          const all = numbers.filter(
            (number) => matches(number) && startOf(number) >= from && startOf(number) <= to,
          );
          const range = { ...rest, from, ...(to === Number.MAX_SAFE_INTEGER ? {} : { to }) };
          for (const offset of [
            0,
            19,
            Math.floor(all.length / 2),
            all.length - 3,
            all.length,
            all.length + 1,
          ]) {
            if (offset < 0) continue;
            const page = await store.recordings.page(contactCenter, {
              ...query,
              ...range,
              offset,
              limit: 5,
              count: 'exact',
            });
            assert.deepEqual(
              page.recordings.map(({ number }) => number),
              all.slice(offset, offset + 5),
              `at ${offset}`,
            );
            assert.equal(page.total, all.length);
            assert.equal(page.hasMore, all.length > offset + 5);
          }
        }
      });
    }

    it('let others have their turn while they are passed', async () => {
      // Each walk passes more than a statement may, and so lets the clock of this test tick.
      const slow: Partial<RecordingQuery>[] = [
        { leadId: 8, offset: 29_000 },
        { states: ['archived'] },
        { userNumbers: everyUser, minSeconds: 1 },
      ];
      for (const query of slow) {
        let turns = 0;
        let isOver = false;
        const page = store.recordings.page(contactCenter, { ...query, limit: 5, count: 'none' });
        const over = page.finally(() => {
          isOver = true;
        });
        while (!isOver) {
          await new Promise(setImmediate);
          turns += 1;
        }
        await over;
        assert.ok(turns > 1, `${JSON.stringify(query)}: ${turns} turns`);
      }
    });
  });
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addUsers, changeUser, NAMES, person } from './people.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

/** Dialect numbers laid out so that a seek meets full blocks, empty ones and lonely ones. */
const LAYOUTS: Readonly<Record<string, readonly number[]>> = {
  'dense from 1': Array.from({ length: 1500 }, (_, at) => at + 1),
  'dense across the edges of blocks': Array.from({ length: 600 }, (_, at) => 65_536 - 300 + at),
  'dense across the edges of the greatest blocks': Array.from({ length: 600 }, (_, at) => 2 ** 24 - 300 + at),
  'one in each block of 256': Array.from({ length: 700 }, (_, at) => at * 256 + (at % 256) + 1),
  'very sparse': Array.from({ length: 300 }, (_, at) => (at + 1) * 7_158_278),
  'the edges themselves': [
    1,
    255,
    256,
    257,
    65_535,
    65_536,
    16_777_215,
    16_777_216,
    2 ** 31 - 2,
    2 ** 31 - 1,
  ],
  'one far away': [2 ** 31 - 1],
};

/** Pages by offset over the counts that find them, and totals. */
export function describeOffsets(engine: EngineUnderTest): void {
  describe('offsets and totals', () => {
    const opened = useStore(engine);

    async function page(name: string, offset: number, limit: number) {
      const contactCenter = await opened.store.access.findContactCenter(name);
      assert.ok(contactCenter);
      return opened.store.pages.page(contactCenter, {
        dialect: NAMES.name,
        match: { kind: 'everyone' },
        offset,
        limit,
        count: 'exact',
        fields: ['number'],
      });
    }

    for (const [layout, numbers] of Object.entries(LAYOUTS)) {
      it(`finds every place where numbers are ${layout}`, async () => {
        const contactCenter = await opened.contactCenter();
        const users = numbers.map((number, at) =>
          person(at + 1, { dialectNumbers: { alpha: number, beta: at + 1, gamma: at + 1 } }),
        );
        await addUsers(opened.store, contactCenter, users.toReversed());
        const step = numbers.length > 100 ? 7 : 1;
        for (let offset = 0; offset <= numbers.length + 1; offset += step) {
          const { users: found, hasMore, total } = await page(contactCenter.name, offset, 5);
          assert.deepEqual(
            found.map((user) => user.dialectNumber),
            numbers.slice(offset, offset + 5),
            `offset ${offset}`,
          );
          assert.equal(hasMore, offset + 5 < numbers.length, `offset ${offset}`);
          assert.equal(total, numbers.length);
        }
        const last = await page(contactCenter.name, numbers.length - 1, 5);
        assert.deepEqual(last.users, [{ dialectNumber: numbers.at(-1), number: numbers.length }]);
        assert.equal(last.hasMore, false);
        const behind = await page(contactCenter.name, Number.MAX_SAFE_INTEGER, 5);
        assert.deepEqual(behind, { users: [], hasMore: false, total: numbers.length });
      });
    }

    it('stays right while numbers move', async () => {
      const contactCenter = await opened.contactCenter();
      const numbers = new Map(Array.from({ length: 40 }, (_, at) => [at + 1, at + 1]));
      await addUsers(
        opened.store,
        contactCenter,
        [...numbers].map(([number]) => person(number)),
      );
      for (const [number, to] of [
        [1, 70_000],
        [20, 2 ** 31 - 1],
        [40, 300],
        [1, 1_000_000],
        [7, 256],
      ] as const) {
        await changeUser(
          opened.store,
          contactCenter,
          number,
          (user) => ({ ...user, dialectNumbers: { ...user.dialectNumbers, alpha: to } }),
          ['alpha'],
        );
        numbers.set(number, to);
        const inOrder = [...numbers.values()].sort((a, b) => a - b);
        for (let offset = 0; offset <= 40; offset += 1) {
          const { users, total } = await page(contactCenter.name, offset, 3);
          assert.deepEqual(
            users.map((user) => user.dialectNumber),
            inOrder.slice(offset, offset + 3),
          );
          assert.equal(total, 40);
        }
      }
    });

    it('counts anew after a write, whoever asked before', async () => {
      const first = await opened.contactCenter();
      const total = async (texts: readonly string[]) => {
        const { total } = await opened.store.pages.page(await opened.again(first), {
          dialect: NAMES.name,
          match: { kind: 'any-of', texts },
          limit: 1,
          count: 'exact',
          fields: [],
        });
        return total;
      };
      assert.equal(await total(['ada']), 0);
      await addUsers(opened.store, first, [person(1, { firstName: 'Ada' }), person(2, { firstName: 'Ada' })]);
      assert.equal(await total(['ada']), 2);
      assert.equal(await total(['ada', '1']), 2);
      await changeUser(opened.store, first, 2, (user) => ({ ...user, firstName: 'Bea' }));
      assert.equal(await total(['ada']), 1);
      assert.equal(await total(['ada', 'bea']), 2);
      await changeUser(opened.store, first, 1, (user) => ({ ...user, email: 'ada@x' }));
      assert.equal(await total(['ada@x']), 1);
    });
  });
}

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DialectIndex } from '../../src/directory/query.ts';
import type { Store } from '../../src/store/open.ts';
import { addUsers, changeUser, insertUsers, person } from './people.ts';
import type { EngineUnderTest } from './store-contract.ts';

const OLD: DialectIndex = { name: 'alpha', searches: ['names'] };
const NEW: DialectIndex = { name: 'omega', searches: ['names', 'flags'] };
/** More than one chunk of the filling. */
const COUNT = 1203;

/** Dialects that come to a store that has users already. */
export function describeFill(engine: EngineUnderTest): void {
  describe('dialects that are new to a store', () => {
    async function inPlace(work: (open: (...dialects: DialectIndex[]) => Promise<Store>) => Promise<void>) {
      const place = await engine.makePlace();
      let open: Store | undefined;
      try {
        await work(async (...dialects) => {
          await open?.close();
          open = undefined;
          open = await engine.open(place, dialects);
          return open;
        });
      } finally {
        await open?.close();
        await engine.dropPlace(place);
      }
    }

    const need = async (store: Store, name = 'north') => {
      const found = await store.access.findContactCenter(name);
      assert.ok(found);
      return found;
    };

    async function numbers(store: Store, dialect: string, texts?: readonly string[]): Promise<number[]> {
      const page = await store.pages.page(await need(store), {
        dialect,
        match: texts === undefined ? { kind: 'everyone' } : { kind: 'any-of', texts },
        limit: 5000,
        count: 'exact',
        fields: ['number'],
      });
      assert.equal(page.total, page.users.length);
      assert.deepEqual(
        page.users.map((user) => user.dialectNumber),
        page.users.map((user) => user.dialectNumber).sort((a, b) => a - b),
      );
      return page.users.map((user) => user.number);
    }

    const own = (number: number) =>
      person(number, { dialectNumbers: { alpha: number }, firstName: number % 2 === 0 ? 'Ada' : 'Bea' });

    it('gives every user a number and terms there, in every contact center', async () => {
      await inPlace(async (open) => {
        let store = await open(OLD);
        await store.access.createContactCenter('north', 'UTC', 0);
        await store.access.createContactCenter('south', 'UTC', 0);
        await store.access.createContactCenter('empty', 'UTC', 0);
        const users = Array.from({ length: COUNT }, (_, at) => own(at + 1));
        await addUsers(store, await need(store), users);
        await addUsers(store, await need(store, 'south'), [own(5)]);
        store = await open(OLD, NEW);
        assert.deepEqual(
          await numbers(store, 'omega'),
          users.map((user) => user.number),
        );
        assert.equal((await numbers(store, 'omega', ['ada'])).length, 601);
        const south = await store.pages.pageByNumber(await need(store, 'south'), 0, 9);
        assert.deepEqual(south[0]?.dialectNumbers, { alpha: 5, omega: 5 });
        const far = await store.pages.page(await need(store), {
          dialect: 'omega',
          match: { kind: 'everyone' },
          offset: 1200,
          limit: 9,
          count: 'exact',
          fields: ['number'],
        });
        assert.deepEqual([far.users.length, far.total], [3, COUNT]);
        await store.writer.write(await need(store), async (writing) => {
          const { highest } = await writing.numberState();
          assert.deepEqual([...highest].sort(), [
            ['alpha', COUNT],
            ['omega', COUNT],
          ]);
        });
        // Flags were asked of the new dialect alone.
        const flagged = await store.pages.page(await need(store), {
          dialect: 'omega',
          match: { kind: 'flagged', flags: { active: true, hasExtension: false } },
          limit: 2000,
          count: 'none',
          fields: [],
        });
        assert.equal(flagged.users.length, COUNT);
      });
    });

    it('makes the terms anew where a dialect searches differently, and keeps its numbers', async () => {
      await inPlace(async (open) => {
        let store = await open(OLD);
        await store.access.createContactCenter('north', 'UTC', 0);
        await addUsers(store, await need(store), [
          person(1, { dialectNumbers: { alpha: 900 }, firstName: 'Ada' }),
          person(2, { dialectNumbers: { alpha: 17 } }),
        ]);
        store = await open({ name: 'alpha', searches: ['flags'] });
        assert.deepEqual(await numbers(store, 'alpha'), [2, 1]);
        assert.deepEqual(await numbers(store, 'alpha', ['ada']), []);
        store = await open({ name: 'alpha', searches: ['flags', 'names'] });
        assert.deepEqual(await numbers(store, 'alpha', ['ada']), [1]);
        assert.deepEqual(await numbers(store, 'alpha', ['17']), [2]);
      });
    });

    it('remembers the greatest number that was ever taken, though nobody has it any more', async () => {
      await inPlace(async (open) => {
        let store = await open(OLD);
        await store.access.createContactCenter('north', 'UTC', 0);
        await addUsers(store, await need(store), [person(1, { dialectNumbers: { alpha: 500 } })]);
        await changeUser(store, await need(store), 1, (user) => ({ ...user, dialectNumbers: { alpha: 3 } }), [
          'alpha',
        ]);
        store = await open({ name: 'alpha', searches: ['flags'] });
        await store.writer.write(await need(store), async (writing) => {
          assert.equal((await writing.numberState()).highest.get('alpha'), 500);
          assert.deepEqual(await writing.takenNumbers('alpha', new Set([3, 500])), new Set([3, 500]));
        });
      });
    });

    it('does not lose who came while a dialect was away', async () => {
      await inPlace(async (open) => {
        let store = await open(OLD, NEW);
        await store.access.createContactCenter('north', 'UTC', 0);
        await addUsers(store, await need(store), [
          person(1, { dialectNumbers: { alpha: 1, omega: 1 } }),
          person(2, { dialectNumbers: { alpha: 2, omega: 3 } }),
        ]);
        store = await open(OLD);
        await addUsers(store, await need(store), [own(3), own(4)]);
        store = await open(OLD, NEW);
        const found = await numbers(store, 'omega');
        assert.deepEqual(found.toSorted(), [1, 2, 3, 4]);
        assert.deepEqual(await numbers(store, 'omega', ['ada']), [4]);
      });
    });

    it('does not change names of who was renamed while a dialect was away', async () => {
      await inPlace(async (open) => {
        let store = await open(OLD, NEW);
        await store.access.createContactCenter('north', 'UTC', 0);
        await store.writer.write(await need(store), (writing) =>
          insertUsers(writing, [person(1, { dialectNumbers: { alpha: 1, omega: 1 }, firstName: 'Ada' })]),
        );
        store = await open(OLD);
        await changeUser(store, await need(store), 1, (user) => ({ ...user, firstName: 'Bea' }));
        store = await open(OLD, NEW);
        assert.deepEqual(await numbers(store, 'omega', ['bea']), [1]);
        assert.deepEqual(await numbers(store, 'omega', ['ada']), []);
      });
    });
  });
}

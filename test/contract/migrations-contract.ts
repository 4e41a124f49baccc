import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { ALL, addUsers, person } from './people.ts';
import type { EngineUnderTest } from './store-contract.ts';

/** Bringing a store up to date. */
export function describeMigrations(engine: EngineUnderTest): void {
  describe('migrations', () => {
    it('change nothing the second time', async () => {
      const place = await engine.makePlace();
      try {
        const first = await engine.open(place, ALL);
        const contactCenter = await first.access.createContactCenter('north', 'UTC', 0);
        await addUsers(first, contactCenter, [person(1, { email: 'a@x', extensions: ['1'] }), person(2)]);
        await first.close();
        const before = await engine.dump(place);
        const second = await engine.open(place, ALL);
        const [user] = await second.pages.pageByNumber(contactCenter, 0, 1);
        await second.close();
        assert.equal(user?.email, 'a@x');
        assert.equal(await engine.dump(place), before);
        assert.match(before, /0001-directory/);
      } finally {
        await engine.dropPlace(place);
      }
    });

    for (const [what, sql] of [
      ['one step more', "insert into migrations (number, name, applied_at) values (9999, 'later', 1)"],
      ['another step in a known place', "update migrations set name = 'other' where number = 1"],
    ] as const) {
      it(`refuse a store with ${what}, in one line, and leave it alone`, async () => {
        const place = await engine.makePlace();
        try {
          await (await engine.open(place, ALL)).close();
          await engine.execute(place, sql);
          const before = await engine.dump(place);
          await assert.rejects(engine.open(place, ALL), (error) => {
            assert.ok(error instanceof Failure);
            assert.equal(error.kind, 'precondition');
            assert.match(error.message, /newer Rollcall/);
            assert.ok(!error.message.includes('\n'));
            return true;
          });
          assert.equal(await engine.dump(place), before);
        } finally {
          await engine.dropPlace(place);
        }
      });
    }
  });
}

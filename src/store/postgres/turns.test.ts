import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../errors.ts';
import { Turns } from './turns.ts';

/** Lets whatever can go on go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('turns of writers', () => {
  it('come one after another for each contact center, and side by side for others', async () => {
    const turns = new Turns(60_000);
    const said: string[] = [];
    const take = async (name: string, ...contactCenters: number[]) => {
      const end = await turns.take(contactCenters);
      said.push(name);
      return end;
    };
    const first = await take('a', 1);
    const second = take('b', 1);
    const other = await take('c', 2);
    const both = take('d', 2, 1);
    const last = take('e', 2);
    const none = await take('f');
    await turn();
    assert.deepEqual(said, ['a', 'c', 'f']);
    other();
    await turn();
    assert.deepEqual(said, ['a', 'c', 'f'], 'who asked before is not passed');
    first();
    (await second)();
    (await both)();
    (await last)();
    none();
    assert.deepEqual(said, ['a', 'c', 'f', 'b', 'd', 'e']);
    await turn();
    assert.equal(turns.size, 0);
  });

  it('are given up after a while, and let nobody pass who has theirs', async () => {
    const turns = new Turns(20);
    const first = await turns.take([1]);
    const isBusy = (error: unknown) => error instanceof Failure && error.kind === 'unavailable';
    await assert.rejects(turns.take([1, 2]), isBusy);
    await assert.rejects(turns.take([2]), isBusy, 'it is behind who gave up, who was behind the first');
    first();
    (await turns.take([2, 1]))();
    await turn();
    assert.equal(turns.size, 0);
  });
});

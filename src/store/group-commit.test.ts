import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../errors.ts';
import type { Engine, Transaction } from './engine.ts';
import { createGroupCommit } from './group-commit.ts';

/** An engine whose transactions hold a list: a work adds to it, and a commit keeps it. */
function createEngine(isParallel = false) {
  const kept: string[] = [];
  const commits: number[] = [];
  const locked: (readonly number[])[] = [];
  const state = { isFull: false };
  const engine: Pick<Engine, 'transaction' | 'isParallel'> = {
    isParallel,
    async transaction(contactCenters, work) {
      const written: string[] = [];
      const transaction: Partial<Transaction> = {
        run: async (statement) => {
          written.push(statement.name);
        },
      };
      const value = await work(transaction as Transaction);
      if (state.isFull) throw new Failure('unavailable', 'the disk is full');
      kept.push(...written);
      commits.push(written.length);
      locked.push(contactCenters);
      return value;
    },
  };
  const commit = createGroupCommit(engine as Engine);
  const write = (name: string, cc = 1) =>
    commit(cc, async (transaction) => {
      await transaction.run({ name, sql: '', parameters: [] }, {});
      return name;
    });
  return { kept, commits, locked, state, commit, write };
}

const reasons = async (all: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(all)).map((each) =>
    each.status === 'fulfilled' ? each.value : each.reason.message,
  );

describe('writes that share a commit', () => {
  it('are kept together, and each is told its own', async () => {
    const { kept, commits, write } = createEngine();
    assert.deepEqual(await reasons(['a', 'b', 'c'].map((name) => write(name))), ['a', 'b', 'c']);
    assert.deepEqual([kept, commits], [['a', 'b', 'c'], [3]]);
    assert.equal(await write('d'), 'd');
    assert.deepEqual(commits, [3, 1]);
    const many = Array.from({ length: 1000 }, (_, at) => `${at}`);
    assert.deepEqual(await reasons(many.map((name) => write(name))), many);
    assert.deepEqual(kept.slice(4), many);
  });

  it('share it with those of other contact centers only where these are not locked by themselves', async () => {
    for (const [isParallel, expected] of [
      [false, [[1, 2]]],
      [true, [[1], [2]]],
    ] as const) {
      const { locked, write } = createEngine(isParallel);
      await Promise.all([write('a', 1), write('b', 2), write('c', 1)]);
      assert.deepEqual([...locked].sort(), expected);
    }
  });

  it('go on where one refuses', async () => {
    const { kept, commit, write } = createEngine();
    const refuse = () => commit(1, async () => Promise.reject(new Failure('conflict', 'taken')));
    assert.deepEqual(await reasons([write('a'), refuse(), write('b')]), ['a', 'taken', 'b']);
    assert.deepEqual(kept, ['a', 'b']);
  });

  it('are none of them kept where the store fails, and the next ones are', async () => {
    const { kept, state, write, commit } = createEngine();
    state.isFull = true;
    const full = 'the disk is full';
    assert.deepEqual(await reasons([write('a'), write('b')]), [full, full]);
    state.isFull = false;
    const halfway = commit(1, async (transaction) => {
      await transaction.run({ name: 'half', sql: '', parameters: [] }, {});
      throw new Failure('unavailable', full);
    });
    assert.deepEqual(await reasons([write('c'), halfway]), [full, full]);
    assert.deepEqual(kept, []);
    assert.equal(await write('d'), 'd');
  });

  it('do not suffer from a bug in one of them', async () => {
    const { kept, commit, write } = createEngine();
    const broken = () =>
      commit(1, async (transaction) => {
        await transaction.run({ name: 'half', sql: '', parameters: [] }, {});
        throw new TypeError('a bug');
      });
    assert.deepEqual(await reasons([write('a'), broken(), write('b')]), ['a', 'a bug', 'b']);
    assert.deepEqual(kept, ['a', 'b']);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../errors.ts';
import type { Transaction } from './engine.ts';
import { type WipingWriter, writeApart } from './write-apart.ts';

/** Writers that fail with what is said; `opened` and `closed` count them. */
function createWriters() {
  const state = { opened: 0, closed: 0, failure: null as Error | null };
  const open = (): WipingWriter => {
    state.opened += 1;
    return {
      async transaction(_, work) {
        if (state.failure !== null) throw state.failure;
        return work({} as Transaction);
      },
      wipe: async () => true,
      async close() {
        state.closed += 1;
      },
    };
  };
  return { state, writer: writeApart(open) };
}

describe('writing apart', () => {
  it('opens its writer when there is first something to write, and closes it', async () => {
    const { state, writer } = createWriters();
    assert.equal(state.opened, 0);
    assert.equal(await writer.transaction([1], async () => 'a'), 'a');
    assert.equal(await writer.transaction([1], async () => 'b'), 'b');
    await writer.close();
    assert.deepEqual(state, { opened: 1, closed: 1, failure: null });
    await createWriters().writer.close();
  });

  it('goes on with the same writer where the store cannot take it now', async () => {
    const { state, writer } = createWriters();
    state.failure = new Failure('unavailable', 'the disk is full');
    await assert.rejects(
      writer.transaction([1], async () => {}),
      state.failure,
    );
    state.failure = null;
    await writer.transaction([1], async () => {});
    assert.deepEqual([state.opened, state.closed], [1, 0]);
  });

  it('opens another one where the writer itself broke down', async () => {
    const { state, writer } = createWriters();
    state.failure = new Error('the writing thread has ended');
    await assert.rejects(
      writer.transaction([1], async () => {}),
      state.failure,
    );
    state.failure = null;
    await writer.transaction([1], async () => {});
    assert.deepEqual([state.opened, state.closed], [2, 1]);
  });
});

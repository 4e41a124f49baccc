import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AuditEvent } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import { createAuditStore } from './audit.ts';
import type { Engine, Transaction } from './engine.ts';
import { Statements } from './statements.ts';

const center = (id: number): ContactCenter => ({
  id,
  name: `center-${id}`,
  timezone: 'UTC',
  settings: {},
  revision: 0,
  recordingsRevision: 0,
});
const event = (subject: string): AuditEvent => ({
  at: 1,
  actor: { kind: 'job' },
  action: 'recording.played',
  subject,
  outcome: 'done',
  details: {},
});
const full = new Failure('unavailable', 'the disk is full');

/** An audit whose store can be full; `kept` is what it holds. */
function createAudit() {
  const kept: string[] = [];
  const state = { isFull: false };
  const engine: Partial<Engine> = {
    async transaction(_, work) {
      const value = await work({} as Transaction);
      if (state.isFull) throw full;
      return value;
    },
    close: async () => {},
  };
  const audit = createAuditStore(
    engine as Engine,
    engine as Engine,
    new Statements('sqlite'),
    async (_, cc, events) => {
      if (!state.isFull) kept.push(...events.map(({ subject }) => `${cc}:${subject}`));
    },
  );
  return { kept, state, audit };
}

describe('an audit whose store is full', () => {
  it('keeps what waited in its order, once there is room', async () => {
    const { kept, state, audit } = createAudit();
    state.isFull = true;
    audit.record(center(1), event('a'));
    audit.record(center(2), event('b'));
    await assert.rejects(audit.flush(), full);
    audit.record(center(1), event('c'));
    assert.deepEqual(kept, []);
    state.isFull = false;
    await audit.flush();
    assert.deepEqual(kept, ['1:a', '1:c', '2:b']);
    await audit.close();
    assert.equal(kept.length, 3);
  });

  it('tries again by itself, and refuses what it could not hold', async () => {
    const { kept, state, audit } = createAudit();
    state.isFull = true;
    for (let at = 0; at < 10_000; at += 1) audit.record(center(1), event(String(at)));
    assert.throws(
      () => audit.record(center(1), event('more')),
      (error) => error instanceof Failure && error.kind === 'unavailable',
    );
    await assert.rejects(audit.flush(), full);
    // Longer than until the first try.
    await new Promise((resolve) => setTimeout(resolve, 300));
    state.isFull = false;
    const deadline = Date.now() + 20_000;
    while (kept.length === 0) {
      assert.ok(Date.now() < deadline, 'it did not try again');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.equal(kept.length, 10_000);
    // What has begun is told, whatever came after it; only the first that is told of it counts.
    const tell = audit.expect(center(1));
    state.isFull = true;
    for (let at = 0; at < 9999; at += 1) audit.record(center(1), event(String(at)));
    assert.throws(() => audit.expect(center(1)), Failure);
    tell(event('begun'));
    tell(event('again'));
    state.isFull = false;
    await audit.flush();
    assert.deepEqual([kept.length, kept.at(-1)], [20_000, '1:begun']);
    audit.record(center(1), event('more'));
    await audit.close();
    assert.equal(kept.at(-1), '1:more');
  });
});

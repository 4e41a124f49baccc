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
  history: 'first 0',
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
    const tell = audit.expect(center(1), event('late'));
    state.isFull = true;
    for (let at = 0; at < 9999; at += 1) audit.record(center(1), event(String(at)));
    assert.throws(() => audit.expect(center(1), event('late')), Failure);
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

describe('an audit that is told of something when it is over', () => {
  it('keeps that it has begun, where it takes longer than a second', async (context) => {
    const { kept, audit } = createAudit();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const [tellShort, tellLong] = ['short', 'long'].map((name) =>
      audit.expect(center(1), event(`${name} begun`)),
    );
    context.mock.timers.tick(999);
    tellShort?.(event('short'));
    context.mock.timers.tick(1);
    await audit.flush();
    assert.deepEqual(kept, ['1:short', '1:long begun']);
    tellLong?.(event('long'));
    await audit.close();
    assert.deepEqual(kept.slice(2), ['1:long']);
  });

  it('has no room for a beginning where only ends have some', async (context) => {
    const { kept, state, audit } = createAudit();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const tell = audit.expect(center(1), event('begun'));
    state.isFull = true;
    for (let at = 0; at < 9999; at += 1) audit.record(center(1), event(String(at)));
    context.mock.timers.tick(1000);
    tell(event('end'));
    state.isFull = false;
    await audit.close();
    assert.deepEqual([kept.length, kept.at(-1)], [10_000, '1:end']);
  });

  it('waits for that when it is closed, but not for ever', async (context) => {
    const first = createAudit();
    const tell = first.audit.expect(center(1), event('begun'));
    const closed = first.audit.close();
    setImmediate(() => tell(event('end')));
    await closed;
    assert.deepEqual(first.kept, ['1:end']);

    const second = createAudit();
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const tellLate = second.audit.expect(center(1), event('begun'));
    const closedLate = second.audit.close();
    context.mock.timers.tick(2000);
    await closedLate;
    tellLate(event('end'));
    // The second was over by then.
    assert.deepEqual(second.kept, ['1:begun']);
  });
});

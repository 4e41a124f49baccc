import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLimits } from './limits.ts';
import { HttpFailure } from './wire-failure.ts';

const isLimited = (error: unknown) => error instanceof HttpFailure && error.failure.kind === 'rate_limited';

describe('limits', () => {
  it('let a token make as many requests as they say, and tell when to come again', async () => {
    const limits = createLimits(3);
    for (let at = 0; at < 3; at += 1) await limits.admit('token', '10.0.0.1');
    await assert.rejects(limits.admit('token', '10.0.0.1'), (error) => {
      assert.ok(error instanceof HttpFailure);
      assert.deepEqual(error.failure.limit, { allowed: 3, resetIn: 1 });
      assert.equal(error.failure.retryAfter, 1);
      return true;
    });
    await limits.admit('another', '10.0.0.1');
  });

  it('let an address make ten times as many with all its tokens', async () => {
    const limits = createLimits(2);
    for (let at = 0; at < 20; at += 1) await limits.admit(`token ${at}`, '10.0.0.1');
    await assert.rejects(limits.admit('one more', '10.0.0.1'), isLimited);
    await limits.admit('one more', '10.0.0.2');
  });

  it('let an address play ten times as much as a token asks, apart from what it asks', async () => {
    const limits = createLimits(2);
    for (let at = 0; at < 20; at += 1) await limits.play('10.0.0.1');
    await assert.rejects(limits.play('10.0.0.1'), isLimited);
    await limits.play('10.0.0.2');
    await limits.admit('token', '10.0.0.1');
    await limits.refuse('10.0.0.1');
  });

  it('count refused requests by address, at no cost to those that are let in', async () => {
    const limits = createLimits(2);
    await limits.refuse('10.0.0.1');
    await limits.refuse('10.0.0.1');
    await assert.rejects(limits.refuse('10.0.0.1'), isLimited);
    await limits.refuse('10.0.0.2');
    await limits.admit('token', '10.0.0.1');
  });
});

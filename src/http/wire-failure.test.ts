import assert from 'node:assert/strict';
import { it } from 'node:test';
import { toWireFailure } from './wire-failure.ts';

it('a client that hangs up in its body is no bug of ours', () => {
  const error = Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
  assert.equal(toWireFailure(error).kind, 'malformed');
  assert.equal(toWireFailure(new Error('anything else')).kind, 'internal');
});

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Failure } from '../errors.ts';
import { createWipe } from './wipe.ts';

it('one wipe serves all who ask before it begins, and none who asks later', async () => {
  const waiting: ((isDone: boolean) => void)[] = [];
  const wipe = createWipe({ wipe: () => new Promise((resolve) => waiting.push(resolve)) });
  const [first, same] = [wipe(), wipe()];
  await new Promise(setImmediate);
  assert.equal(waiting.length, 1);
  const [later, sameLater] = [wipe(), wipe()];
  await new Promise(setImmediate);
  assert.equal(waiting.length, 1);
  waiting[0]?.(true);
  assert.deepEqual(await Promise.all([first, same]), [true, true]);
  await new Promise(setImmediate);
  assert.equal(waiting.length, 2);
  waiting[1]?.(false);
  assert.deepEqual(await Promise.all([later, sameLater]), [false, false]);
});

it('a wipe that the disk does not let through is to be tried again', async () => {
  const failures = [new Failure('unavailable', 'the disk is full'), new TypeError('a bug')];
  const wipe = createWipe({ wipe: () => Promise.reject(failures.shift()) });
  assert.equal(await wipe(), false);
  await assert.rejects(wipe(), TypeError);
});

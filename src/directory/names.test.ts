import assert from 'node:assert/strict';
import { it } from 'node:test';
import { NameBook } from './names.ts';

it('names that only a refused row gave leave no number behind', () => {
  const names = new NameBook([{ number: 5, name: 'Quality' }], []);
  const mark = names.mark();
  names.role({ number: 99_000_000, name: 'Refused' });
  names.team({ number: 70_000, name: 'Refused' });
  names.rewind(mark);
  // 5 is taken, so that each of these gets the next number above all.
  assert.deepEqual(names.role({ number: 5, name: 'Training' }), { number: 6, name: 'Training' });
  assert.deepEqual(names.team({ name: 'North' }), { number: 1, name: 'North' });
});

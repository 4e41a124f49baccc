import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SweepReport } from '../../src/cli/recordings/sweep-report.ts';
import { NOTHING_SAID } from '../../src/recordings/sweep.ts';

it('a report of a sweep sums up what would be too many lines', () => {
  const told: string[] = [];
  const report = new SweepReport({ data: 'x' }, (line) => told.push(line));
  const north = { contactCenter: 'north' };
  for (let number = 1; number <= 50; number += 1) {
    report.add('north', north, { ...NOTHING_SAID, kind: 'lost', number });
    report.add('north', north, { ...NOTHING_SAID, kind: 'damaged', number });
  }
  report.end('north', { looked: 5000, lost: 50, isAstray: false });
  assert.equal(told.length, 42);
  assert.deepEqual(
    told.filter((line) => /more/.test(line)),
    ['north: and 30 more: its audio is lost', 'north: and 30 more: its audio is damaged'],
  );
  told.length = 0;
  for (let number = 1; number <= 50; number += 1) {
    report.add('south', { contactCenter: 'south' }, { ...NOTHING_SAID, kind: 'lost', number });
  }
  report.end('south', { looked: 50, lost: 50, isAstray: true });
  assert.deepEqual(told, [
    'south: the audio of 50 of 50 recordings is not there: is --media right? None is given up, and no audio removed, but with --mend --most-lost 50',
  ]);
});

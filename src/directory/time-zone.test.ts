import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatHours,
  formatLocal,
  formatWithOffset,
  moveBound,
  offsetMinutes,
  parseInstant,
  parseLocal,
  standardOffsetMinutes,
  zoneForHours,
} from './time-zone.ts';

const NOW = Date.UTC(2026, 6, 1);
const ZONES = [
  ...Intl.supportedValuesOf('timeZone'),
  'Etc/GMT+12',
  'Etc/GMT-14',
  'Asia/Kathmandu',
  'US/Pacific',
];
const zone = fc.constantFrom(...ZONES);
/** Whole seconds, from the year in which zones had come to whole minutes everywhere. */
const instant = fc
  .integer({ min: Date.UTC(1973, 0, 1) / 1000, max: Date.UTC(2099, 0, 1) / 1000 })
  .map((seconds) => seconds * 1000);

/** What Intl says the clocks show. */
function clocks(at: number, timeZone: string): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at);
}

describe('time zones', () => {
  it('show what the clocks show', () => {
    fc.assert(
      fc.property(instant, zone, (at, name) => {
        assert.equal(formatLocal(at, name), clocks(at, name));
      }),
      { numRuns: 500 },
    );
  });

  it('change their offset to the minute', () => {
    for (const name of [
      'America/Los_Angeles',
      'Africa/Casablanca',
      'Australia/Lord_Howe',
      'Europe/Istanbul',
    ]) {
      for (let at = Date.UTC(2015, 0, 1); at < Date.UTC(2017, 0, 1); at += 3_600_000 * 7) {
        assert.equal(formatLocal(at, name), clocks(at, name));
      }
      for (const start of [
        Date.UTC(2026, 2, 8),
        Date.UTC(2026, 10, 1),
        Date.UTC(2026, 3, 4),
        Date.UTC(2026, 9, 3),
      ]) {
        for (let at = start; at < start + 86_400_000; at += 60_000 * 15) {
          assert.equal(formatLocal(at, name), clocks(at, name));
        }
      }
    }
  });

  it('read back a time that they showed, but for the hour that is shown twice', () => {
    fc.assert(
      fc.property(instant, zone, (at, name) => {
        const text = formatLocal(at, name);
        const read = parseLocal(text, name);
        assert.ok(read !== null);
        assert.equal(formatLocal(read, name), text);
        assert.ok(read <= at, 'the first of two');
        if (offsetMinutes(name, at - 7_200_000) === offsetMinutes(name, at + 7_200_000))
          assert.equal(read, at);
      }),
      { numRuns: 1000 },
    );
  });

  it('take a time that the clocks skip as if they had not been moved', () => {
    assert.equal(parseLocal('2026-03-08 02:30:00', 'America/Los_Angeles'), Date.UTC(2026, 2, 8, 10, 30));
    assert.equal(parseLocal('2026-11-01 01:30:00', 'America/Los_Angeles'), Date.UTC(2026, 10, 1, 8, 30));
    for (const [text, at] of [
      ['2026-11-01 01:30:00', Date.UTC(2026, 10, 1, 9, 30)],
      ['2026-11-01 02:00:00', Date.UTC(2026, 10, 1, 10)],
      ['2026-03-08 02:30:00', Date.UTC(2026, 2, 8, 10, 30)],
    ] as const) {
      assert.equal(parseLocal(text, 'America/Los_Angeles', 'last'), at, text);
    }
  });

  it('read back an instant with its offset, whatever the zone', () => {
    fc.assert(
      fc.property(instant, zone, (at, name) => {
        const text = formatWithOffset(at, name);
        assert.match(text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}$/);
        assert.equal(parseInstant(text), at);
        assert.equal(parseInstant(`${text.slice(0, -2)}:${text.slice(-2)}`), at);
        assert.equal(parseInstant(new Date(at).toISOString()), at);
      }),
      { numRuns: 500 },
    );
    assert.equal(
      formatWithOffset(Date.UTC(2016, 10, 17, 18, 54, 21), 'America/Los_Angeles'),
      '2016-11-17T10:54:21-0800',
    );
  });

  it('take no text that is no time', () => {
    for (const text of [
      '2026-02-30T00:00:00Z',
      '2026-01-01T24:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-01-01T00:60:00Z',
      '2026-01-01T00:00:00',
      '2026-01-01',
      '2026-01-01T00:00:00+99:99',
      ' 2026-01-01T00:00:00Z',
      '',
    ]) {
      assert.equal(parseInstant(text), null, text);
    }
    for (const text of [
      '2026-02-30 00:00:00',
      '2026-01-01 24:00:00',
      '2026-01-01 00:00:00Z',
      '26-01-01 00:00:00',
      '',
    ]) {
      assert.equal(parseLocal(text, 'UTC'), null, text);
    }
  });

  it('are read as bounds in any year, on days that the year has', () => {
    const of = (text: string) => parseLocal(moveBound(text), 'Pacific/Kiritimati');
    const [least, most] = ['1000-01-01 00:00:00', '2999-12-31 23:59:59'].map((text) => moveBound(text));
    assert.deepEqual([least, most], ['1000-01-01 00:00:00', '2999-12-31 23:59:59'], 'others stay');
    for (const text of ['0001-01-01 00:00:00', '0999-12-31 23:59:59', '0004-02-29 00:00:00']) {
      assert.ok((of(text) ?? 0) < Date.UTC(1700, 0), text);
    }
    for (const text of ['3000-01-01 00:00:00', '9999-12-31 23:59:59', '4000-02-29 00:00:00']) {
      assert.ok((of(text) ?? 0) > Date.UTC(2300, 0), text);
    }
    for (const text of ['0000-00-00 00:00:00', '9999-02-29 00:00:00', '9999-13-01 00:00:00']) {
      assert.equal(of(text), null, text);
    }
  });

  it('are found for an offset, with that standard offset, the same one each time', () => {
    for (const name of ZONES) {
      const minutes = standardOffsetMinutes(name, NOW);
      const found = zoneForHours(formatHours(minutes), NOW);
      assert.ok(found !== null, name);
      assert.equal(standardOffsetMinutes(found, NOW), minutes, name);
      assert.equal(zoneForHours(formatHours(minutes), NOW + 15_000_000_000), found);
    }
    for (const [hours, name] of [
      ['-8.00', 'America/Los_Angeles'],
      ['-8', 'America/Los_Angeles'],
      ['-7.00', 'America/Denver'],
      ['-6.00', 'America/Chicago'],
      ['-5.00', 'America/New_York'],
      ['5.50', 'Asia/Kolkata'],
      ['+5.5', 'Asia/Kolkata'],
      ['3.00', 'Etc/GMT-3'],
      ['0.00', 'Etc/GMT'],
      ['-0.00', 'Etc/GMT'],
      // No zone has these all year, or at all.
      ['-2.50', 'Etc/GMT'],
      ['0.01', 'Etc/GMT'],
      ['15.00', 'Etc/GMT'],
      ['-13.00', 'Etc/GMT'],
    ] as const) {
      assert.equal(zoneForHours(hours, NOW), name, hours);
    }
    for (const hours of ['', 'x', '24.00', '-99', '5.5.5', '1e1', 'NaN']) {
      assert.equal(zoneForHours(hours, NOW), null, hours);
    }
  });
});

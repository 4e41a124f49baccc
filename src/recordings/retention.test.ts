import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ContactCenter } from '../access/contact-center.ts';
import { archivedFrom, isPastRetention, letGoAt, retentionEndedFor } from './retention.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 1, 28, 12);

const withSettings = (settings: Record<string, string>): ContactCenter => ({
  id: 1,
  name: 'north',
  timezone: 'Asia/Tokyo',
  settings,
  history: 'first 0',
  revision: 0,
  recordingsRevision: 0,
});
const keeping = (days: number) => withSettings({ 'recordings.retentionDays': String(days) });

const instant = fc.integer({ min: NOW - 40_000 * DAY, max: NOW + 40_000 * DAY });
const days = fc.integer({ min: 1, max: 36_500 });
const recording = fc.record({
  startedAt: instant,
  keepUntil: fc.option(instant, { nil: null }),
  legalHold: fc.boolean(),
});

describe('retention', () => {
  it('counts days from the start of the call, 90 where nothing was set', () => {
    const call = { startedAt: NOW, keepUntil: null, legalHold: false };
    assert.equal(letGoAt(withSettings({}), call), NOW + 90 * DAY);
    assert.equal(letGoAt(keeping(7), call), NOW + 7 * DAY);
    assert.equal(isPastRetention(keeping(7), call, NOW + 7 * DAY - 1), false);
    assert.equal(isPastRetention(keeping(7), call, NOW + 7 * DAY), true);
  });

  it('gives way to what the recording itself says, sooner or later', () => {
    fc.assert(
      fc.property(recording, days, instant, instant, (call, kept, until, now) => {
        const own = { ...call, keepUntil: until, legalHold: false };
        assert.equal(letGoAt(keeping(kept), own), until);
        assert.equal(isPastRetention(keeping(kept), own, now), until <= now);
      }),
    );
  });

  it('is overridden by a legal hold, whatever else is said', () => {
    fc.assert(
      fc.property(recording, days, instant, (call, kept, now) => {
        const held = { ...call, legalHold: true };
        assert.equal(letGoAt(keeping(kept), held), null);
        assert.equal(isPastRetention(keeping(kept), held, now), false);
      }),
    );
  });

  it('once over stays over, and a longer one is never over sooner', () => {
    fc.assert(
      fc.property(recording, days, days, instant, fc.nat(), (call, one, other, now, later) => {
        const [shorter, longer] = [keeping(Math.min(one, other)), keeping(Math.max(one, other))];
        if (isPastRetention(shorter, call, now)) assert.ok(isPastRetention(shorter, call, now + later));
        if (isPastRetention(longer, call, now)) assert.ok(isPastRetention(shorter, call, now));
      }),
    );
  });

  it('is the same asked of a recording or as the last start that is let go', () => {
    fc.assert(
      fc.property(instant, days, instant, (startedAt, kept, now) => {
        const call = { startedAt, keepUntil: null, legalHold: false };
        assert.equal(
          isPastRetention(keeping(kept), call, now),
          startedAt <= retentionEndedFor(keeping(kept), now),
        );
      }),
    );
  });

  it('moves to the archive after the days that were set, else never', () => {
    assert.equal(archivedFrom(withSettings({}), NOW), null);
    assert.equal(archivedFrom(withSettings({ 'recordings.archiveAfterDays': 'off' }), NOW), null);
    assert.equal(archivedFrom(withSettings({ 'recordings.archiveAfterDays': '30' }), NOW), NOW - 30 * DAY);
  });
});

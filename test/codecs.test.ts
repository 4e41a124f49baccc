import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FORMATS } from '../src/app.ts';
import type { FormatUser } from '../src/directory/format.ts';
import { applyPatch, blankUser, newIn } from '../src/directory/merge.ts';
import type { NamedRef } from '../src/directory/patch.ts';
import {
  AGENT_STATUSES,
  CALLBACK_TYPES,
  CONNECTION_TYPES,
  LEVELS,
  QUEUE_OVERRIDES,
  STATUSES,
  type User,
} from '../src/directory/user.ts';

const NOW = Date.UTC(2026, 6, 1);
const ZONES = [...Intl.supportedValuesOf('timeZone'), 'Etc/GMT+5', 'Asia/Kathmandu'];

/** Any text that a field may hold: trimmed, without NUL. */
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((each) => each.replaceAll('\0', '').trim());
const filled = text.filter((each) => each !== '');
const listed = filled.map((each) => each.replaceAll(',', '').trim()).filter((each) => each !== '');
const nullable = <T>(each: fc.Arbitrary<T>) => fc.option(each, { nil: null });
const digits = (least: number, most: number) =>
  fc.bigInt({ min: 10n ** BigInt(least - 1), max: 10n ** BigInt(most) - 1n }).map(String);
const instant = fc
  .integer({ min: Date.UTC(1973, 0, 1) / 1000, max: Date.UTC(2099, 0, 1) / 1000 })
  .map((seconds) => seconds * 1000);
const named = fc.record({ number: fc.integer({ min: 1, max: 9 }), name: filled });
const number = fc.integer({ min: 1, max: 2 ** 31 - 1 });

/** Any user; what only the store decides is left to it. */
const user: fc.Arbitrary<FormatUser> = fc
  .record({
    dialectNumber: number,
    email: nullable(filled.filter((each) => each.length > 1)),
    loginId: filled,
    firstName: filled,
    lastName: text,
    displayName: nullable(filled),
    status: fc.constantFrom(...STATUSES),
    level: fc.constantFrom(...LEVELS),
    role: named,
    queueOverride: fc.constantFrom(...QUEUE_OVERRIDES),
    allowQueueSelection: fc.boolean(),
    allowCallbacks: fc.boolean(),
    allowTransfers: fc.boolean(),
    callbackTypes: fc.subarray([...CALLBACK_TYPES]),
    defaultBlended: fc.boolean(),
    allowBlendedCampaign: fc.boolean(),
    notifications: fc.boolean(),
    alterCustomerData: fc.boolean(),
    timezone: fc.constantFrom(...ZONES),
    connectionType: fc.constantFrom(...CONNECTION_TYPES),
    extensions: fc.uniqueArray(digits(1, 15), { maxLength: 3 }),
    createdAt: instant,
    lastLoginAt: nullable(instant),
    sipAccount: nullable(filled),
    callerIdGroup: nullable(filled),
    webrtcRingtone: nullable(filled),
    teams: fc.array(named, { maxLength: 3 }),
    supervisedTeams: fc.array(named, { maxLength: 3 }),
    skills: fc.array(fc.record({ name: text, value: fc.integer({ min: 1, max: 10 }) }), { maxLength: 3 }),
    channels: fc.array(fc.record({ type: text, name: text, value: nullable(digits(1, 15)) }), {
      maxLength: 3,
    }),
    queues: fc.array(listed, { maxLength: 3 }),
    employeeId: nullable(filled),
    agent: nullable(
      fc.record({
        id: filled,
        name: text,
        status: fc.constantFrom(...AGENT_STATUSES),
        followMeNumber: nullable(digits(1, 15).map((each) => `+${each}`)),
      }),
    ),
    loginBasedCalling: fc.boolean(),
    internationalCalling: fc.boolean(),
    webLogin: fc.boolean(),
    extra: fc.record(
      Object.fromEntries(
        ['convoso', 'voiso', 'smartflo'].map((dialect) => [
          dialect,
          fc.dictionary(
            filled.map((key) => `x_${key}`),
            fc.constantFrom('', 'ü', 1.5, true, null, [{ deep: '\\u0000' }]),
          ),
        ]),
      ),
    ),
  })
  .map((fields) => ({
    ...blankUser(7, '01900000-0000-7000-8000-000000000007', 'UTC', 0),
    ...fields,
    // Nothing is kept for a dialect that has nothing.
    extra: Object.fromEntries(
      Object.entries(fields.extra).filter(([, kept]) => Object.keys(kept).length > 0),
    ),
    dialectNumbers: {
      convoso: fields.dialectNumber,
      voiso: fields.dialectNumber,
      smartflo: fields.dialectNumber,
    },
  }))
  // Generated objects have no prototype; read ones have.
  .map((each) => structuredClone(each));

/** Roles and teams as a contact center that has them gives them back. */
function namesOf(known: User) {
  const find = (all: User['teams']) => (ref: NamedRef) =>
    all.find((each) =>
      ref.name === undefined
        ? each.number === ref.number
        : each.name.toLowerCase() === ref.name.toLowerCase(),
    ) ?? { number: ref.number ?? 1, name: ref.name ?? 'Role' };
  return { role: find([known.role]), team: find([...known.teams, ...known.supervisedTeams]) };
}

describe('codecs', () => {
  const context = { timezone: 'America/New_York', now: NOW };

  for (const format of FORMATS) {
    it(`of ${format.name} read back what they show`, () => {
      fc.assert(
        fc.property(user, (shown) => {
          const row = format.encode(shown, context);
          const patch = format.decode(JSON.parse(JSON.stringify(row)), context);
          if (format.dialect !== null)
            assert.deepEqual(patch.dialectNumbers, { [format.dialect]: shown.dialectNumber });
          const blank = blankUser(shown.number, shown.id, 'UTC', 0);
          const made = applyPatch(blank, patch, true, namesOf(shown));
          const again = format.encode(
            { ...made, dialectNumber: shown.dialectNumber, dialectNumbers: shown.dialectNumbers },
            context,
          );
          // The zone may be another one of the same offset: the same instant stands in its own clocks.
          const said = (each: typeof row) => format.decode(JSON.parse(JSON.stringify(each)), context);
          assert.deepEqual(said(again), said(row));
          assert.deepEqual(
            { ...again, created_at: null, timezone: null },
            { ...row, created_at: null, timezone: null },
          );
        }),
        { numRuns: 300 },
      );
    });

    it(`of ${format.name} say nothing new of whom they show`, () => {
      fc.assert(
        fc.property(user, (shown) => {
          const patch = format.decode(format.encode(shown, context), context);
          const seen = format.decode(format.encode(shown, context), context);
          const { version: _, ...after } = applyPatch(shown, newIn(patch, seen), false, namesOf(shown));
          const { version: __, ...before } = shown;
          assert.deepEqual({ ...after, displayName: null }, { ...before, displayName: null });
        }),
        { numRuns: 100 },
      );
    });

    it(`of ${format.name} write rows that JSON reads as they are`, () => {
      fc.assert(
        fc.property(user, (shown) => {
          const { head, separator, tail } = format.envelope({ count: 2, lastNumber: shown.dialectNumber });
          const row = format.row(shown, context);
          const wanted = JSON.parse(JSON.stringify(format.encode(shown, context)));
          if (format.dialect === null) {
            assert.ok(!row.includes('\n'));
            assert.deepEqual(JSON.parse(row), wanted);
            return;
          }
          const whole = JSON.parse(head + row + (format.name === 'convoso' ? '' : separator + row) + tail);
          const rows = Array.isArray(whole) ? whole : Object.values(whole.data.results ?? whole.data);
          assert.deepEqual(rows[0], wanted);
        }),
        { numRuns: 100 },
      );
    });
  }
});

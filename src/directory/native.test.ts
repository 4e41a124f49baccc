import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { blankUser } from './merge.ts';
import { decodeNative as decode, encodeNative, NATIVE_FIELDS } from './native.ts';
import type { Json, JsonObject } from './user.ts';

const decodeNative = (row: JsonObject) => decode(row, { timezone: 'Asia/Kolkata' });

/** A user of whom everything is told. */
const WHOLE = encodeNative({
  ...blankUser(7, '01900000-0000-7000-8000-000000000007', 'UTC', 0),
  email: 'a@x.example',
  loginId: 'a',
  role: { number: 1, name: 'Agent' },
  lastLoginAt: 1,
  dialectNumbers: { voiso: 3 },
});

describe('a native row', () => {
  it('has each of its fields read', () => {
    assert.deepEqual(Object.keys(decodeNative(WHOLE)).sort(), [...NATIVE_FIELDS].sort());
  });

  it('is refused for each field that is not what it must be, by its name', () => {
    for (const field of NATIVE_FIELDS) {
      const wrong: Json = field === 'dialectNumbers' || field === 'extra' ? { voiso: 'x' } : { no: ['such'] };
      assert.throws(
        () => decodeNative({ ...WHOLE, [field]: wrong }),
        new RegExp(`^Failure: ${field}: `),
        field,
      );
    }
  });

  it("has its times in the contact center's zone, where they name none", () => {
    for (const [text, at] of [
      ['2026-03-01 08:00:00', Date.UTC(2026, 2, 1, 2, 30)],
      ['2026-03-01T08:00:00', Date.UTC(2026, 2, 1, 2, 30)],
      ['2026-03-01T08:00:00Z', Date.UTC(2026, 2, 1, 8)],
    ] as const) {
      const { createdAt, lastLoginAt } = decodeNative({ createdAt: text, lastLoginAt: text });
      assert.deepEqual([createdAt, lastLoginAt], [at, at], text);
    }
  });

  it('names a time zone in any capitals', () => {
    assert.equal(decodeNative({ timezone: 'america/los_angeles' }).timezone, 'America/Los_Angeles');
  });

  it('is refused for a field that no user has, but for a version and a reason', () => {
    assert.throws(
      () => decodeNative({ ...WHOLE, emial: 'a@x.example' }),
      /^Failure: emial: is no field of a user/,
    );
    for (const name of ['constructor', '__proto__']) {
      const row = JSON.parse(`{"email":"a@x.example","${name}":1}`);
      assert.throws(() => decodeNative(row), new RegExp(`^Failure: ${name}: is no field of a user`));
    }
    assert.deepEqual(decodeNative({ ...WHOLE, version: 9, _rejected: 'no good' }), decodeNative(WHOLE));
  });

  it('says nothing of a field that it has not', () => {
    assert.deepEqual(decodeNative({ email: 'a@x.example', lastName: '' }), {
      email: 'a@x.example',
      lastName: '',
    });
    for (const field of NATIVE_FIELDS) {
      const { [field]: _, ...others } = WHOLE;
      assert.ok(!(field in decodeNative(others)), field);
    }
  });
});

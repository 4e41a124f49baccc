import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '../../src/directory/user.ts';
import { Failure } from '../../src/errors.ts';
import { readSaid } from '../../src/recordings/said.ts';
import { said } from '../contract/recordings-contract.ts';
import { NOW, useCenter } from './center.ts';

const STARTED = NOW - 3_600_000;
const started = new Date(STARTED).toISOString();

describe('what is said of a recording', () => {
  const center = useCenter();
  const read = (value: JsonObject) =>
    readSaid(center.contactCenter, value, { users: center.store.pages, now: NOW });
  const refused = async (value: JsonObject, fields: readonly string[]) => {
    await assert.rejects(read(value), (error) => {
      assert.ok(error instanceof Failure && error.kind === 'invalid', String(error));
      assert.deepEqual(Object.keys(error.fields), fields, JSON.stringify(value).slice(0, 100));
      return true;
    });
  };

  it('needs a user and a start', async () => {
    assert.deepEqual(await read({ user: ' Person3@Example.com ', startedAt: started }), {
      said: said({ userNumber: 3, startedAt: STARTED }),
      expected: { bytes: null, sha256: null },
    });
    assert.equal((await read({ userNumber: 4, startedAt: started })).said.userNumber, 4);
    assert.equal((await read({ user: 'login-5', startedAt: started })).said.userNumber, 5);
    await refused({}, ['startedAt', 'user']);
    await refused({ user: '', startedAt: null }, ['startedAt', 'user']);
    for (const user of ['nobody@example.com', '3', '%', 'a\0', 'Person 3']) {
      await refused({ user, startedAt: started }, ['user']);
    }
    await refused({ user: 'login-5', userNumber: 5, startedAt: started }, ['userNumber']);
  });

  it('may have all the rest, written as text too', async () => {
    const given = {
      user: 'person1@example.com',
      startedAt: '2026-02-28T22:00:00+0300',
      endedAt: '2026-02-28 22:01:00',
      seconds: '59',
      leadId: '9007199254740991',
      callId: 'c-1',
      direction: 'inbound',
      remoteNumber: '+1 555 0100',
      keepUntil: '2030-01-01T00:00:00Z',
      legalHold: 'yes',
      bytes: 44,
      sha256: 'AB'.repeat(32),
    };
    const startedAt = Date.UTC(2026, 1, 28, 19);
    const { said: about, expected } = await read({ ...given, leadId: 77 });
    assert.deepEqual(about, {
      ...said({ userNumber: 1, startedAt }),
      endedAt: startedAt + 60_000,
      seconds: 59,
      leadId: 77,
      callId: 'c-1',
      direction: 'inbound',
      remoteNumber: '+1 555 0100',
      keepUntil: Date.UTC(2030, 0, 1),
      legalHold: true,
    });
    assert.deepEqual(expected, { bytes: 44, sha256: 'ab'.repeat(32) });
    const days = await read({ userNumber: 1, startedAt: started, keepDays: '2' });
    assert.equal(days.said.keepUntil, STARTED + 2 * 86_400_000);
    // More than 15 digits are not told apart by every program that writes JSON.
    await refused(given, ['leadId']);
  });

  it('is refused with all that is wrong, by name', async () => {
    const good = { userNumber: 1, startedAt: started };
    const wrong: [JsonObject, string[]][] = [
      [{ ...good, startedAt: 'yesterday' }, ['startedAt']],
      [{ ...good, startedAt: '1969-12-31T23:59:59Z' }, ['startedAt']],
      [{ ...good, startedAt: '2026-03-03T00:00:00Z' }, ['startedAt']],
      [{ ...good, startedAt: 5 }, ['startedAt']],
      [{ ...good, endedAt: '2026-01-01T00:00:00Z' }, ['endedAt']],
      [{ ...good, direction: 'up', leadId: 0, seconds: -1 }, ['leadId', 'direction', 'seconds']],
      [{ ...good, callId: 'a\nb', remoteNumber: '0'.repeat(65) }, ['callId', 'remoteNumber']],
      [{ ...good, keepDays: 1, keepUntil: started }, ['keepDays']],
      [{ ...good, sha256: 'abc', bytes: 0, legalHold: 'perhaps' }, ['legalHold', 'bytes', 'sha256']],
      [{ ...good, secnds: 5 }, ['fields']],
    ];
    for (const [value, fields] of wrong) await refused(value, fields);
    // Whatever an unknown field is called, it is told by its place alone.
    const twelve = Object.fromEntries(Array.from({ length: 12 }, (_, at) => [`+1555010${at}`, 'x']));
    for (const [value, places] of [
      [{ userNumber: 1, secnds: 5, startedAt: started, file: 'x' }, 'at place 2, 4 of 4;'],
      [{ ...good, ...twelve }, 'at place 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and others of 14;'],
    ] as const) {
      await assert.rejects(read(value), (error) => {
        assert.ok(error instanceof Failure);
        assert.match(error.message, new RegExp(`fields: unknown ${places} .*: user, userNumber, startedAt`));
        assert.doesNotMatch(error.message, /secnds|1555/);
        return true;
      });
    }
    for (const length of [256, 10_000]) {
      await assert.rejects(read({ ...good, callId: 'c'.repeat(length) }), (error) => {
        assert.ok(error instanceof Failure);
        assert.deepEqual(error.fields, { callId: ['must be at most 255 characters long'] });
        return true;
      });
    }
  });
});

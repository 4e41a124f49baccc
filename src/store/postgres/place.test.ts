import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../errors.ts';
import { COMMAND_LIMITS, readPostgresUrl } from './place.ts';

const connection = (text: string) =>
  new URL(String(readPostgresUrl(text).config(COMMAND_LIMITS, 'read').connectionString));

describe('the URL of a PostgreSQL', () => {
  it('names one host or several', () => {
    const one = readPostgresUrl('postgres://u:p%40@h:7/d');
    assert.equal(one.shown, 'h:7/d');
    assert.equal(one.hosts, null);
    const two =
      'postgresql://u:hush,p%40@[::1],b.example:7/d%20e?sslmode=require&target_session_attrs=read-write';
    const several = readPostgresUrl(two);
    assert.equal(several.shown, '[::1]:5432,b.example:7/d e');
    assert.notEqual(several.hosts, null);
    const first = connection(two);
    assert.equal(first.host, '[::1]');
    assert.equal(first.username, 'u');
    assert.equal(first.password, 'hush,p%40');
    assert.equal(first.pathname, '/d%20e');
    assert.deepEqual([...first.searchParams.keys()], ['sslmode', 'options']);
    assert.equal(first.searchParams.get('sslmode'), 'verify-full');
    // One host of which something is asked is chosen as well.
    assert.notEqual(readPostgresUrl('postgres://h/d?target_session_attrs=primary').hosts, null);
  });

  it('keeps what its user says of sessions, behind what is ours', () => {
    const options = connection('postgres://h/d?options=-c%20jit%3Don').searchParams.get('options');
    assert.match(String(options), /-c jit=off .*-c jit=on$/);
    assert.match(String(options), /-c default_transaction_isolation=read\\ committed /);
  });

  it('is refused without being told', () => {
    for (const [text, why] of [
      ['hush', /cannot be read/],
      ['postgres:hush', /cannot be read|not of PostgreSQL/],
      ['mysql://u:hush@h/d', /not of PostgreSQL/],
      ['postgres://u:hush@h', /names no database/],
      ['postgres://u:hush@h:hush/d', /cannot be read/],
      ['postgres://u:hush@h,:hush/d', /cannot be read/],
      ['postgres://u:hush@h,/d', /cannot be read|lacks a host/],
      ['postgres://u:hush@a,b/d?target_session_attrs=standby', /target_session_attrs/],
      ['postgres://u:hush@a/d?target_session_attrs=toString', /target_session_attrs/],
    ] as const) {
      assert.throws(
        () => readPostgresUrl(text),
        (error: unknown) => {
          assert.ok(error instanceof Failure && error.kind === 'invalid', text);
          assert.match(error.message, why, text);
          assert.doesNotMatch(error.message, /hush/);
          return true;
        },
        text,
      );
    }
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findTool, toLibpq } from './tools.ts';

describe('the URL for the programs of PostgreSQL', () => {
  const old = { version: '15.18' };
  it('has no password, wherever it stood', () => {
    assert.deepEqual(toLibpq('postgres://me:h%40sh@db:5432/calls', old), {
      url: 'postgres://me@db:5432/calls',
      password: 'h@sh',
    });
    assert.deepEqual(toLibpq('postgresql://db/calls?password=hush&application_name=x', old), {
      url: 'postgresql://db/calls?application_name=x',
      password: 'hush',
    });
    assert.deepEqual(toLibpq('postgres://me@one:1,two:2/calls', old), {
      url: 'postgres://me@one:1,two:2/calls',
      password: null,
    });
  });

  it('says of TLS what it means everywhere else, and leaves out what they do not know', () => {
    const read = (query: string, version = '18.4') =>
      toLibpq(`postgres://db/calls?${query}`, { version }).url;
    assert.equal(read('sslmode=require'), 'postgres://db/calls?sslmode=verify-full&sslrootcert=system');
    assert.equal(read('sslmode=require', '15.1'), 'postgres://db/calls?sslmode=verify-full');
    assert.equal(
      read('sslmode=verify-full&sslrootcert=/a.pem'),
      'postgres://db/calls?sslmode=verify-full&sslrootcert=%2Fa.pem',
    );
    assert.equal(read('sslmode=no-verify'), 'postgres://db/calls?sslmode=require');
    assert.equal(read('sslmode=disable'), 'postgres://db/calls?sslmode=disable');
    assert.equal(read('statement_timeout=5&lock_timeout=7'), 'postgres://db/calls');
    assert.equal(
      read('options=-csearch_path%3Dx%20-cjit%3Doff'),
      'postgres://db/calls?options=-csearch_path%3Dx%20-cjit%3Doff',
    );
  });

  it('are not found where PATH has none', async () => {
    assert.equal(await findTool('pg_dump', '15.1', { PATH: '/nowhere' }), 'there is no pg_dump in PATH');
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { SCOPES } from '../src/access/token.ts';
import { createToken } from '../src/access/tokens.ts';
import { openRollcallStore, SURROUNDINGS } from '../src/app.ts';
import type { JsonObject } from '../src/directory/user.ts';
import type { Store } from '../src/store/open.ts';
import { type AppUnderTest, loadRows, openAppUnderTest } from './app-under-test.ts';

/** What is written beside the server, as by a command in another process, shows in its next answer. */
describe('answers after a write from beside', () => {
  let opened: AppUnderTest;
  let beside: Store;
  let secret: string;

  before(async () => {
    opened = await openAppUnderTest();
    const { access } = opened.app.store;
    const contactCenter = await access.createContactCenter('north', 'UTC', SURROUNDINGS.now());
    ({ secret } = await createToken(access, SURROUNDINGS, {
      contactCenter,
      label: 'test',
      scopes: SCOPES,
      dialects: null,
      expiresIn: null,
    }));
    beside = await openRollcallStore({ data: opened.data }, 4);
  });

  after(async () => {
    await beside.close();
    await opened.close();
  });

  const write = async (row: JsonObject) => {
    const contactCenter = await beside.access.findContactCenter('north');
    assert.ok(contactCenter);
    await loadRows({ store: beside }, contactCenter, [row]);
  };
  const ask = async (url: string) => {
    // A turn of the event loop lies between requests, as it does between those of a network.
    await new Promise(setImmediate);
    return opened.app.server.inject({ url, headers: { authorization: `Bearer ${secret}` } });
  };

  test('show a new user, a changed one and a changed setting, in every dialect', async () => {
    const urls = ['/v1/users', '/user_management/v1/users?sag=agent', '/v1/users/search?user=Ada,Grace'];
    const askAll = () => Promise.all(urls.map(async (url) => (await ask(url)).body));
    const nobody = await askAll();
    await write({ email: 'ada@fab.test', firstName: 'Ada', lastName: 'Byron' });
    const one = await askAll();
    for (const [at, body] of one.entries()) assert.notEqual(body, nobody[at]);
    assert.deepEqual(await askAll(), one);
    await write({ email: 'ada@fab.test', firstName: 'Ada', lastName: 'Lovelace' });
    const changed = await askAll();
    for (const [at, body] of changed.entries()) assert.notEqual(body, one[at]);

    const search = '/v1/users/search';
    assert.equal((await ask(search)).json().code, 6005);
    const contactCenter = await beside.access.findContactCenter('north');
    assert.ok(contactCenter);
    await beside.access.setSetting(contactCenter, 'convoso.userRequired', 'false');
    assert.equal((await ask(search)).json().data.total, '1');
  });

  test('refuse a token from the moment of its revocation', async () => {
    assert.equal((await ask('/v1/users')).statusCode, 200);
    const contactCenter = await beside.access.findContactCenter('north');
    assert.ok(contactCenter);
    const [token] = await beside.access.tokens(contactCenter);
    assert.ok(token);
    await beside.access.revokeToken(token.id, SURROUNDINGS.now());
    assert.equal((await ask('/v1/users')).statusCode, 401);
  });
});

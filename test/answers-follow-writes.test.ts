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

  test('are not sent again to who has them, and are as soon as anything in them is another', async () => {
    const inject = async (url: string, tags?: string, method: 'GET' | 'HEAD' | 'POST' = 'GET') => {
      await new Promise(setImmediate);
      const headers = {
        authorization: `Bearer ${secret}`,
        ...(tags === undefined ? {} : { 'if-none-match': tags }),
      };
      return opened.app.server.inject({ url, headers, method });
    };
    const urls = [
      '/v1/users',
      '/user_management/v1/users?sag=agent',
      `/v1/users/search?auth_token=${secret}&user=Ada`,
    ];
    for (const [at, url] of urls.entries()) {
      const whole = await inject(url);
      assert.equal(whole.headers.etag, undefined, 'asked once');
      // Of the ways in which an answer comes again, one is for requests that say nothing new.
      const again = [await inject(url), await inject(url), await inject(url, '"another"')];
      const [{ headers } = whole] = again;
      const etag = String(headers.etag);
      assert.match(etag, /^"[\w-]{43}"$/);
      for (const each of again) {
        assert.deepEqual([each.statusCode, each.headers.etag, each.body], [200, etag, whole.body]);
      }
      for (const tags of [etag, `W/${etag}`, `"another", ${etag}`, '*']) {
        for (const method of ['GET', 'HEAD'] as const) {
          const { statusCode, body, headers: told } = await inject(url, tags, method);
          assert.deepEqual([statusCode, body, told.etag], [304, '', etag]);
          assert.equal(told['cache-control'], 'no-store');
          assert.equal(told['content-type'], undefined);
          assert.equal(typeof told['x-request-id'], 'string');
        }
      }
      await write({ email: 'ada@fab.test', firstName: 'Ada', lastName: `King ${at}` });
      const changed = await inject(url, etag);
      assert.deepEqual([changed.statusCode, changed.body === whole.body], [200, false]);
      assert.notEqual(changed.headers.etag, etag);
      assert.equal((await inject(url, String(changed.headers.etag))).statusCode, 304);
      // Nothing that is shown changes by this: the bytes are the same, and so is their tag.
      await write({ email: `nobody-${at}@fab.test`, firstName: 'No', lastName: 'Body' });
      await write({ email: 'ada@fab.test', firstName: 'Ada', lastName: `King ${at}` });
      if (at === 2) assert.equal((await inject(url, String(changed.headers.etag))).statusCode, 304);
    }
    const search = { url: '/v1/users/search', method: 'POST' } as const;
    const posted = await opened.app.server.inject({
      ...search,
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'if-none-match': '*' },
      payload: `auth_token=${secret}`,
    });
    assert.deepEqual([posted.statusCode, posted.headers.etag], [200, undefined]);
    // Who is refused, or asks wrongly, is told so.
    const refused = await opened.app.server.inject({ url: urls[0] ?? '', headers: { 'if-none-match': '*' } });
    assert.equal(refused.statusCode, 401);
    assert.equal((await inject('/v1/users?limit=x', '*')).statusCode, 400);
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

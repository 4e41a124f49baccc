import assert from 'node:assert/strict';
import { after, before, describe, mock, test } from 'node:test';
import { SURROUNDINGS } from '../../src/app.ts';
import { demoPerson } from '../../src/directory/demo.ts';
import { type AppUnderTest, loadRows, makeTokens, openAppUnderTest } from '../app-under-test.ts';

/** Users that are read at once; each crowd ends at another place in its last chunk. */
const CHUNK = 100;
const CROWDS = [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 900];

describe("Voiso's whole directory, streamed", () => {
  let opened: AppUnderTest;
  const tokens = new Map<number, string>();
  before(async () => {
    opened = await openAppUnderTest();
    for (const size of CROWDS) {
      const contactCenter = await opened.app.store.access.createContactCenter(
        `crowd-${size}`,
        'UTC',
        SURROUNDINGS.now(),
      );
      const people = Array.from({ length: size }, (_, at) => demoPerson(at + 1));
      await loadRows(opened.app, contactCenter, people);
      tokens.set(size, (await makeTokens(opened.app, contactCenter)).good);
    }
  });
  after(() => opened.close());

  const ask = (size: number, query: string, method: 'GET' | 'HEAD' = 'GET') =>
    opened.app.server.inject({
      method,
      url: `/user_management/v1/users${query}`,
      headers: { authorization: `Bearer ${tokens.get(size)}` },
    });

  test('has the bytes of one page that holds everyone', async () => {
    for (const size of CROWDS) {
      const [whole, page] = [await ask(size, ''), await ask(size, '?limit=1000')];
      assert.equal(whole.statusCode, 200);
      assert.equal(whole.body, page.body, `${size} users`);
      assert.equal(JSON.parse(whole.body).length, size);
    }
  });

  test('is told by chunks, and under the same headers', async () => {
    const [whole, page] = [await ask(900, ''), await ask(900, '?limit=1000')];
    assert.equal(whole.headers['content-length'], undefined);
    assert.equal(Number(page.headers['content-length']), Buffer.byteLength(page.body));
    for (const name of ['content-type', 'cache-control']) {
      assert.equal(whole.headers[name], page.headers[name], name);
    }
  });

  test('may be filtered, and begin anywhere', async () => {
    for (const query of ['?sag=Agent', '?offset=1', '?offset=249', '?offset=650', '?sag=agent&offset=300']) {
      const [whole, page] = [await ask(900, query), await ask(900, `${query}&limit=1000`)];
      assert.equal(whole.body, page.body, query);
      assert.ok(JSON.parse(whole.body).length > 200, query);
    }
  });

  test('is the same as its pages behind each other', async () => {
    const pages: unknown[] = [];
    for (let offset = 0; ; offset += 70) {
      const page: unknown[] = (await ask(900, `?limit=70&offset=${offset}`)).json();
      if (page.length === 0) break;
      pages.push(...page);
    }
    assert.deepEqual(pages, (await ask(900, '')).json());
  });

  test('is not read for HEAD', async () => {
    const reads = mock.method(opened.app.store.pages, 'page');
    try {
      const answer = await ask(900, '', 'HEAD');
      assert.equal(answer.statusCode, 200);
      assert.equal(answer.body, '');
      // Time to read on, were it to.
      await ask(900, '?limit=1');
      await ask(900, '?limit=2');
      assert.equal(reads.mock.callCount(), 3);
    } finally {
      reads.mock.restore();
    }
  });
});

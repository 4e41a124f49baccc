import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import fastify, { type FastifyInstance } from 'fastify';
import { Failure } from '../../errors.ts';
import { addParsers, decodeSearch } from './parameters.ts';

describe("Convoso's parameters", () => {
  let app: FastifyInstance;

  before(async () => {
    app = fastify({ routerOptions: { querystringParser: (text) => Object.fromEntries(pairsOf(text)) } });
    app.removeAllContentTypeParsers();
    addParsers(app);
    app.route({
      method: ['GET', 'POST'],
      url: '/',
      handler: async (request) => {
        try {
          return decodeSearch(request, true);
        } catch (error) {
          assert.ok(error instanceof Failure);
          return { refused: Object.keys(error.fields) };
        }
      },
    });
    await app.ready();
  });
  after(() => app.close());

  /** Repeated names as lists. */
  function pairsOf(text: string): Map<string, string | string[]> {
    const params = new URLSearchParams(text);
    return new Map(
      [...params.keys()].map((name) => {
        const all = params.getAll(name);
        return [name, all.length === 1 ? (all[0] ?? '') : all];
      }),
    );
  }

  const json = async (body: object) =>
    (
      await app.inject({
        method: 'POST',
        url: '/',
        headers: { 'content-type': 'application/json' },
        payload: JSON.stringify(body),
      })
    ).json();
  const form = async (body: string) =>
    (
      await app.inject({
        method: 'POST',
        url: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: body,
      })
    ).json();
  const query = async (text: string) => (await app.inject({ method: 'GET', url: `/?${text}` })).json();

  const item = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes(','));
  const space = fc.constantFrom('', ' ', '\t');

  it('read a comma list the same from everywhere, trimmed, without blanks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(space, item, space), { minLength: 1, maxLength: 20 }),
        async (parts) => {
          const list = parts.map((part) => part.join(''));
          const wanted = list.map((each) => each.trim()).filter((each) => each !== '');
          const expected =
            wanted.length === 0 ? { refused: ['missingUsers'] } : { users: wanted, offset: 0, limit: 20 };
          const joined = list.join(',');
          assert.deepEqual(await json({ user: joined }), expected);
          assert.deepEqual(await json({ user: list }), expected);
          assert.deepEqual(await form(new URLSearchParams({ user: joined }).toString()), expected);
          assert.deepEqual(await query(new URLSearchParams({ user: joined }).toString()), expected);
          const repeated = new URLSearchParams(
            list.map((each): [string, string] => ['user', each]),
          ).toString();
          assert.deepEqual(await form(repeated), expected);
          assert.deepEqual(await query(repeated), expected);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('read whole numbers, and refuse the rest, in the order of the document', async () => {
    for (const [text, offset] of [
      ['0', 0],
      ['007', 7],
      ['9007199254740991', 9007199254740991],
    ] as const) {
      assert.deepEqual(await form(`user=a&offset=${text}`), { users: ['a'], offset, limit: 20 });
    }
    for (const text of ['-1', '1.0', '1e3', '+1', '', ' 1', '0x1', 'NaN', '9007199254740993']) {
      assert.deepEqual(
        await form(`user=a&offset=${encodeURIComponent(text)}&limit=x`),
        { refused: ['offset'] },
        text,
      );
    }
    for (const text of ['0', '00', '-1', '', '1.5', 'ten']) {
      assert.deepEqual(await form(`user=a&limit=${text}`), { refused: ['limit'] }, text);
    }
    for (const limit of ['1000', '1001', '9'.repeat(400)]) {
      assert.equal((await form(`user=a&limit=${limit}`)).limit, 1000);
    }
    assert.deepEqual(await form('user=,&offset=x&limit=x'), { refused: ['missingUsers'] });
    assert.deepEqual(await form('user=a&offset=1&offset=2'), { refused: ['offset'] });
    assert.deepEqual(await json({ user: 'a', offset: 1.5 }), { refused: ['offset'] });
    assert.deepEqual(await json({ user: 'a', offset: true }), { refused: ['offset'] });
  });

  it('take 500 users and no more', async () => {
    const list = Array.from({ length: 500 }, (_, at) => `u${at}`);
    assert.equal((await form(`user=${list.join()}`)).users.length, 500);
    assert.deepEqual(await form(`user=${list.join()},one`), { refused: ['tooManyUsers'] });
  });

  it('let the body win over the query', async () => {
    const { users } = (
      await app.inject({
        method: 'POST',
        url: '/?user=query&limit=3',
        headers: { 'content-type': 'application/json' },
        payload: '{"user":"body"}',
      })
    ).json();
    assert.deepEqual(users, ['body']);
  });
});

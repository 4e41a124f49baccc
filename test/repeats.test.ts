import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import pino from 'pino';
import { SCOPES, type Scope } from '../src/access/token.ts';
import { createToken } from '../src/access/tokens.ts';
import { SURROUNDINGS } from '../src/app.ts';
import { type AppUnderTest, loadRows, openAppUnderTest } from './app-under-test.ts';

const URLS = [
  '/v1/users?limit=2',
  '/user_management/v1/users?limit=2',
  '/v1/users/search?user=ada@fab.test',
  '/convoso/v1/users/search?user=Ada,Jos%C3%A9',
];

/** A request that was answered before is answered without being read anew: nothing else may tell it from others. */
describe('a request that was answered before', () => {
  const lines: Record<string, unknown>[] = [];
  let opened: AppUnderTest;
  let secret: string;
  let port: number;

  before(async () => {
    const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
    opened = await openAppUnderTest({ log, rateLimit: 100 });
    const contactCenter = await opened.app.store.access.createContactCenter(
      'north',
      'UTC',
      SURROUNDINGS.now(),
    );
    await loadRows(opened.app, contactCenter, [
      { email: 'ada@fab.test', firstName: 'Ada', lastName: 'Byron' },
      { email: 'jose@fab.test', firstName: 'José', lastName: '雪' },
      { email: 'grace@fab.test', firstName: 'Grace', lastName: 'Hopper' },
    ]);
    secret = await mint(SCOPES);
    await opened.app.server.listen({ host: '127.0.0.1', port: 0 });
    const address = opened.app.server.server.address();
    port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  });
  after(() => opened.close());

  const mint = async (scopes: readonly Scope[]) => {
    const { access } = opened.app.store;
    const contactCenter = await access.findContactCenter('north');
    assert.ok(contactCenter);
    const wanted = { contactCenter, label: 'test', scopes, dialects: null, expiresIn: null };
    return (await createToken(access, SURROUNDINGS, wanted)).secret;
  };
  const ask = async (url: string, more: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') => {
    const headers = { authorization: `Bearer ${secret}`, ...more };
    // Over a connection: what is injected comes to the router, behind which nothing is answered before.
    const answer = await fetch(`http://127.0.0.1:${port}${url}`, { method, headers });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, headers: Object.fromEntries(answer.headers), bytes, text: String(bytes) };
  };
  /** The third time, it is answered as one that comes again. */
  const askTwice = async (url: string) => {
    await ask(url);
    await ask(url);
  };
  /** What is sent to a socket, and all that comes back until the server closes it. */
  const say = async (sent: string): Promise<string> => {
    const socket = connect(port, '127.0.0.1');
    socket.write(sent);
    return text(socket);
  };

  it('gets the same bytes, headers and log line', async () => {
    for (const url of URLS) {
      lines.length = 0;
      const [first, , second] = [await ask(url), await ask(url), await ask(url)];
      assert.equal(first.status, 200);
      assert.deepEqual(second.bytes, first.bytes);
      const { 'x-request-id': one, date: _, ...headers } = first.headers;
      const { 'x-request-id': other, date: __, ...again } = second.headers;
      // It is told once an answer is asked for again.
      const etag = again.etag;
      assert.match(String(etag), /^"[\w-]{43}"$/);
      assert.deepEqual(again, { ...headers, 'content-length': String(headers['content-length']), etag });
      assert.notEqual(one, other);
      assert.equal(lines.length, 3);
      const [firstLine, , secondLine] = lines.map(({ time: _, ms: __, requestId: ___, ...rest }) => rest);
      assert.deepEqual(secondLine, firstLine);
      assert.equal(secondLine?.bytes, first.bytes.length);
    }
  });

  it('is another one with another method', async () => {
    for (const url of URLS) {
      await askTwice(url);
      const head = await ask(url, {}, 'HEAD');
      assert.equal(head.text, '');
      assert.equal(head.status, 200);
    }
  });

  it('is another one where it brings a body', async () => {
    const url = '/v1/users/search?user=ada@fab.test';
    await askTwice(url);
    assert.equal(JSON.parse((await ask(url)).text).data.total, '1');
    const body = 'user=nobody@fab.test';
    const head = `GET ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nConnection: close\r\n`;
    const answer = await say(
      `${head}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    assert.doesNotMatch(answer, /"total":"1"/);
  });

  it('needs a token that may ask', async () => {
    const [url = ''] = URLS;
    await askTwice(url);
    assert.equal((await ask(url, { authorization: `Bearer ${secret}x` })).status, 401);
    assert.equal(
      (await ask(url, { authorization: `Bearer ${await mint(['recordings:read'])}` })).status,
      403,
    );
  });

  it('may come again on one connection, and at its end', async () => {
    const [url = ''] = URLS;
    const { text: payload } = await ask(url);
    const head = `GET ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\n`;
    const answers = (await say(`${head}\r\n${head}\r\n${head}Connection: close\r\n\r\n`)).split(
      'HTTP/1.1 200 OK',
    );
    assert.equal(answers.length, 4);
    for (const answer of answers.slice(1)) assert.equal(answer.split('\r\n\r\n')[1], payload);
    const twoHosts = await say(`${head}Host: y\r\nConnection: close\r\n\r\n`);
    assert.match(twoHosts, /^HTTP\/1.1 400 /);
  });

  it('is limited as any other', async () => {
    const [url = ''] = URLS;
    const statuses = new Set<number>();
    let limited = '';
    lines.length = 0;
    for (let at = 0; at < 300; at += 1) {
      const answer = await ask(url);
      statuses.add(answer.status);
      if (answer.status === 429) limited = answer.text;
    }
    assert.deepEqual([...statuses].sort(), [200, 429]);
    assert.deepEqual(JSON.parse(limited), { success: 'false', message: 'Too many requests' });
    for (const line of lines) assert.equal(line.contactCenter, 'north', 'it is known who was refused');
  });
});

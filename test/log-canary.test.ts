import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request as ask } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pino from 'pino';
import { mintSecret } from '../src/access/token.ts';
import { SURROUNDINGS } from '../src/app.ts';
import { Failure } from '../src/errors.ts';
import { type AppUnderTest, loadRows, makeTokens, openAppUnderTest } from './app-under-test.ts';
import { linkTo, record } from './recordings-under-test.ts';
import { listRoutes } from './server-routes.ts';

/** Texts that stand nowhere else. Whatever of a request or a user reaches the log or /metrics shows one. */
const CANARY = {
  email: 'canary.email@birdcage.example',
  phone: '4915550123987',
  name: 'Kanarienvogel',
  path: 'canary-path-segment',
  parameter: 'canary_parameter',
  value: 'canary-value',
  header: 'canary-header',
  requestId: 'canary-request-id',
  userAgent: 'canary-user-agent',
  cookie: 'canary-cookie',
  address: '203.0.113.77',
  message: 'canary-message',
  call: 'canary-call-id',
};

interface Line {
  readonly [field: string]: unknown;
}

/** Thousands of requests: each on a connection of its own would take most of the time. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
let opened: AppUnderTest;
let address: URL;
let token: string;
let secrets: readonly string[];
let link: string;
const TOKEN_ID = '0199f6a4-0000-7000-8000-000000000001';
const logged: string[] = [];
/** Requests that were answered by the server's own code, each of which makes a line. */
let asked = 0;

before(async () => {
  const log = pino({ base: null }, { write: (line: string) => logged.push(line) });
  opened = await openAppUnderTest({ log });
  const { app } = opened;
  const contactCenter = await app.store.access.createContactCenter('aviary', 'UTC', SURROUNDINGS.now());
  await loadRows(app, contactCenter, [
    {
      email: CANARY.email,
      firstName: CANARY.name,
      lastName: 'Vogel',
      extensions: ['4711'],
      channels: [{ type: 'WhatsApp', name: CANARY.value, value: CANARY.phone }],
      agent: { id: '1', name: CANARY.name, status: 'enabled', followMeNumber: `+${CANARY.phone}` },
    },
  ]);
  const recording = await record(app, contactCenter, {
    startedAt: SURROUNDINGS.now(),
    callId: CANARY.call,
    remoteNumber: CANARY.phone,
    audio: Buffer.from(`RIFF ${CANARY.value}`),
  });
  link = await linkTo(app, contactCenter, recording, { tokenId: TOKEN_ID });
  const tokens = await makeTokens(app, contactCenter);
  token = tokens.good;
  secrets = [...Object.values(tokens), mintSecret()];
  address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
});
after(async () => {
  agent.destroy();
  await opened.close();
});

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** Sends a request that carries every canary that a header may carry. Gives the status and the body. */
function send({ method, path, headers = {}, body = '' }: Asked): Promise<{ status: number; body: string }> {
  asked += 1;
  return new Promise((resolve, reject) => {
    const sent = ask(
      {
        host: address.hostname,
        port: address.port,
        method,
        path,
        agent,
        headers: {
          'x-canary': CANARY.header,
          'x-request-id': CANARY.requestId,
          'user-agent': CANARY.userAgent,
          cookie: `session=${CANARY.cookie}`,
          'x-forwarded-for': CANARY.address,
          referer: `http://${CANARY.value}.example/`,
          ...(body === '' ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...headers,
        },
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Sends bytes that are no request that Node can read. */
function sendRaw(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(address.port), address.hostname, () => socket.write(bytes));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

/** The lines of the last requests: they are written once an answer is out. */
async function takeLines(): Promise<Line[]> {
  for (let turn = 0; turn < 1000 && logged.length < asked; turn += 1) await nextTurn();
  asked = 0;
  return logged.splice(0).map((line) => JSON.parse(line) as Line);
}

const everywhere = () => [...Object.values(CANARY), ...secrets];

function assertSilent(text: string, where: string): void {
  const folded = text.toLowerCase();
  const shown = everywhere().filter((canary) => folded.includes(canary.toLowerCase()));
  assert.deepEqual(shown, [], `${where} shows what it must not`);
}

const QUERY = `?user=${CANARY.email},${CANARY.name}&email=${CANARY.email}&name=${CANARY.name}&sip_account=${CANARY.phone}&${CANARY.parameter}=${CANARY.value}`;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

describe('what is logged of requests', () => {
  test('canaries reach the server, and its answers', async () => {
    const answer = await send({
      method: 'GET',
      path: `/v1/users/search?user=${CANARY.email}&auth_token=${token}`,
    });
    assert.equal(answer.status, 200);
    assert.ok(answer.body.includes(CANARY.email) && answer.body.includes(CANARY.name));
    assertSilent(JSON.stringify(await takeLines()), 'the log');
  });

  test('a line tells what was asked by whom, and how it went', async () => {
    const { body } = await send({
      method: 'GET',
      path: `/convoso/v1/users/search${QUERY}`,
      headers: { authorization: `Bearer ${token}` },
    });
    const [line, ...rest] = await takeLines();
    assert.deepEqual(rest, []);
    const { ms, requestId, tokenId, time, ...told } = line ?? {};
    assert.deepEqual(told, {
      level: 30,
      operation: 'convoso.users.search',
      route: '/convoso/v1/users/search',
      dialect: 'convoso',
      contactCenter: 'aviary',
      status: 200,
      bytes: Buffer.byteLength(body),
    });
    assert.equal(typeof ms, 'number');
    assert.equal(typeof time, 'number');
    assert.ok(typeof ms === 'number' && ms > 0);
    assert.match(String(requestId), /^[0-9a-f-]{36}$/);
    assert.match(String(tokenId), /^[0-9a-f-]{36}$/);
  });

  test('of audio: whose link it was, and nothing that would open it', async () => {
    const signature = link.slice(link.indexOf('signature=') + 10);
    for (const path of [link, `${link}&${CANARY.parameter}=${CANARY.value}`]) {
      for (const method of ['GET', 'HEAD']) await send({ method, path, headers: { range: 'bytes=0-3' } });
    }
    const lines = await takeLines();
    const told = lines.map(({ operation, route, status, contactCenter, tokenId, bytes }) => ({
      operation,
      route,
      status,
      contactCenter,
      tokenId,
      bytes,
    }));
    const of = { operation: 'recordings.media', route: '/rollcall/v1/media/:contactCenterId/:number' };
    const known = { contactCenter: 'aviary', tokenId: TOKEN_ID };
    const unknown = { contactCenter: null, tokenId: null };
    assert.deepEqual(told, [
      { ...of, status: 206, ...known, bytes: 4 },
      { ...of, status: 200, ...known, bytes: 0 },
      { ...of, status: 403, ...unknown, bytes: told[2]?.bytes },
      { ...of, status: 403, ...unknown, bytes: 0 },
    ]);
    assertSilent(JSON.stringify(lines), 'the log');
    assert.ok(!JSON.stringify(lines).includes(signature));
  });

  test('every route and method, with every token, in every place', async () => {
    const routes = listRoutes(opened.app.server);
    for (const { path: route } of routes) {
      const path = route.replace('*', CANARY.path);
      for (const method of METHODS) {
        for (const secret of [...secrets, CANARY.value]) {
          const places: Asked[] = [
            { method, path: `${path}${QUERY}&auth_token=${secret}` },
            { method, path: `${path}${QUERY}`, headers: { authorization: `Bearer ${secret}` } },
            { method, path, headers: { authorization: secret } },
          ];
          for (const place of places) await send(place);
        }
      }
      const lines = await takeLines();
      assert.equal(lines.length, METHODS.length * (secrets.length + 1) * 3, `lines of ${route}`);
      assertSilent(JSON.stringify(lines), `the log of ${route}`);
      for (const line of lines) {
        assert.equal(line.operation === 'none', line.route === null, `what is asked at ${route} has a name`);
      }
    }
  });

  test('bodies, good and bad', async () => {
    const form = 'application/x-www-form-urlencoded';
    const json = 'application/json';
    const bodies: readonly (readonly [type: string, body: string])[] = [
      [form, `auth_token=${token}&user=${CANARY.email}&${CANARY.parameter}=${CANARY.value}`],
      [form, `auth_token=${token}&user=${CANARY.email}&offset=${CANARY.value}`],
      [form, `auth_token=${secrets.at(-1)}&user=${CANARY.email}%zz`],
      [json, JSON.stringify({ auth_token: token, user: [CANARY.email], [CANARY.parameter]: CANARY.value })],
      [json, JSON.stringify({ auth_token: token, limit: CANARY.value })],
      [json, `{"auth_token":"${token}","user":"${CANARY.email}"`],
      [json, JSON.stringify({ auth_token: token, user: CANARY.email.repeat(40_000) })],
      ['text/plain', CANARY.email],
      [`text/${CANARY.value}`, CANARY.email],
      [CANARY.value, CANARY.email],
    ];
    const paths = listRoutes(opened.app.server).map(({ path }) => path.replace('*', CANARY.path));
    for (const path of [...paths, `/${CANARY.path}`, `/convoso/${CANARY.path}`]) {
      for (const [type, body] of bodies) {
        for (const method of ['POST', 'GET']) {
          await send({ method, path, headers: { 'content-type': type }, body });
        }
      }
    }
    const count = asked;
    const lines = await takeLines();
    assert.equal(lines.length, count);
    assertSilent(JSON.stringify(lines), 'the log');
  });

  test('uploads, good and bad: what is said of the call, the name of its file, and headers of each part', async () => {
    const wav = readFileSync(join(import.meta.dirname, 'samples/pcm.wav'));
    const boundary = 'canary-in-the-coal-mine';
    const upload = (said: string, audio: Buffer | string, name = `${CANARY.phone}.wav`) =>
      Buffer.concat([
        Buffer.from(
          `--${boundary}\r\ncontent-disposition: form-data; name="recording"; filename="${CANARY.name}.json"\r\n` +
            `content-type: application/json\r\nx-canary: ${CANARY.header}\r\n\r\n${said}\r\n` +
            `--${boundary}\r\ncontent-disposition: form-data; name="audio"; filename="${name}"\r\n` +
            `content-type: audio/${CANARY.value}\r\nx-canary: ${CANARY.header}\r\n\r\n`,
          'latin1',
        ),
        Buffer.from(audio),
        Buffer.from(`\r\n--${boundary}--\r\n`),
      ]);
    const call = {
      user: CANARY.email,
      startedAt: new Date().toISOString(),
      callId: CANARY.call,
      remoteNumber: CANARY.phone,
    };
    const said = JSON.stringify(call);
    const cases: readonly (readonly [status: number, body: Buffer, key: string])[] = [
      [201, upload(said, wav), CANARY.value],
      [201, upload(said, wav), CANARY.value],
      [409, upload(JSON.stringify({ ...call, remoteNumber: '1' }), wav), CANARY.value],
      [201, upload(said, wav, `../../${CANARY.path}/${CANARY.email}`), CANARY.email],
      [415, upload(said, CANARY.message), CANARY.requestId],
      [400, upload(JSON.stringify({ ...call, [CANARY.parameter]: CANARY.value }), wav), CANARY.name],
      [400, upload(JSON.stringify({ ...call, user: `${CANARY.name}@x.example` }), wav), CANARY.name],
      [400, upload(`{"user":"${CANARY.email}"`, wav), CANARY.name],
      [400, upload(said, wav).subarray(0, -40), CANARY.name],
    ];
    const statuses: number[] = [];
    for (const [, body, key] of cases) {
      const { status } = await send({
        method: 'POST',
        path: `/rollcall/v1/recordings${QUERY}`,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': `multipart/form-data; boundary=${boundary}`,
          'content-length': String(body.length),
          'idempotency-key': key,
        },
        body,
      });
      statuses.push(status);
    }
    assert.deepEqual(
      statuses,
      cases.map(([status]) => status),
    );
    const lines = await takeLines();
    assert.equal(lines.length, cases.length);
    assertSilent(JSON.stringify(lines), 'the log');
  });

  test('unknown paths, broken escapes and bad parameters', async () => {
    const authorization = `Bearer ${token}`;
    const paths = ['', '/convoso', '/voiso', '/smartflo'].flatMap((prefix) => [
      `${prefix}/${CANARY.path}${QUERY}`,
      `${prefix}/v1/users/${CANARY.email}/${token}`,
      `${prefix}/%zz${CANARY.path}${QUERY}`,
      `${prefix}//${CANARY.path}`,
    ]);
    paths.push(
      `/v1/users?limit=${CANARY.value}&user_status=${CANARY.name}`,
      `/user_management/v1/users?id=${CANARY.phone}x&name=${CANARY.name}&name=${CANARY.email}`,
      `/v1/users/search?user=${CANARY.email}&offset=${CANARY.value}`,
      `/v1/users/search?user=${CANARY.email}&limit=${CANARY.phone}`,
    );
    for (const path of paths) await send({ method: 'GET', path, headers: { authorization } });
    await send({ method: 'GET', path: '/v1/users', headers: { 'x-long': CANARY.value.repeat(2000) } });
    const lines = await takeLines();
    assert.equal(lines.length, paths.length + 1, 'one line for each request');
    assertSilent(JSON.stringify(lines), 'the log');
    for (const line of lines) {
      assert.deepEqual(
        [
          'bytes',
          'contactCenter',
          'dialect',
          'level',
          'ms',
          'operation',
          'requestId',
          'route',
          'status',
          'time',
          'tokenId',
        ],
        Object.keys(line).sort(),
      );
    }
  });

  test('what is no request at all', async () => {
    const answers = [
      await sendRaw(`GET /${CANARY.path} HTTP/9.9 ${CANARY.value}\r\n\r\n`),
      await sendRaw(`${CANARY.value}\r\n\r\n`),
      await sendRaw(`GET /v1/users HTTP/1.1\r\nHost: x\r\n${CANARY.header} ${token}\r\n\r\n`),
      await sendRaw(`GET /v1/users HTTP/1.1\r\nHost: x\r\nX-Long: ${CANARY.value.repeat(8000)}\r\n\r\n`),
    ];
    for (const answer of answers) {
      assert.match(answer, /^HTTP\/1\.1 4\d\d /);
      assertSilent(answer, 'the answer');
    }
    asked = answers.length;
    const lines = await takeLines();
    assert.deepEqual(
      lines.map(({ status }) => status),
      [400, 400, 400, 431],
    );
    assertSilent(JSON.stringify(lines), 'the log');
  });

  test('what of ours cannot be used is told with its mend, which no client sees', async () => {
    const mend = 'the store is busy with another writer; try again in a moment';
    const broken = mock.method(opened.app.store.pages, 'page', async () => {
      throw new Failure('unavailable', mend, { retryAfter: 1 });
    });
    try {
      // Not asked before: what is known is answered without the store.
      const path = `/v1/users/search?user=${CANARY.email},unheard&auth_token=${token}`;
      const { status, body } = await send({ method: 'GET', path });
      assert.equal(status, 503);
      assert.ok(!body.includes(mend));
    } finally {
      broken.mock.restore();
    }
    asked *= 2;
    const lines = await takeLines();
    assert.deepEqual(
      lines.map(({ msg, reason, status, level }) => ({ msg, reason, status, level })),
      [
        { msg: 'unavailable', reason: mend, status: undefined, level: 40 },
        { msg: undefined, reason: undefined, status: 503, level: 30 },
      ],
    );
    assert.equal(lines[0]?.requestId, lines[1]?.requestId);
    assertSilent(JSON.stringify(lines), 'the log');
  });

  test('a bug is told by its type and place, not by its message', async () => {
    const broken = mock.method(opened.app.store.pages, 'page', async () => {
      throw new Error(`${CANARY.message} ${token}\n    at ${CANARY.email} $&`);
    });
    try {
      for (const path of [
        '/v1/users/search?user=unasked',
        '/user_management/v1/users?limit=7',
        '/v1/users?limit=7',
      ]) {
        const answer = await send({ method: 'GET', path, headers: { authorization: `Bearer ${token}` } });
        assert.equal(answer.status, 500);
        assertSilent(answer.body, 'the answer');
      }
    } finally {
      broken.mock.restore();
    }
    asked *= 2;
    const lines = await takeLines();
    assert.deepEqual(
      lines.map(({ msg, status }) => msg ?? status),
      ['bug', 500, 'bug', 500, 'bug', 500],
    );
    assertSilent(JSON.stringify(lines), 'the log');
  });

  test('/metrics after all that', async () => {
    const { status, body } = await send({ method: 'GET', path: '/metrics' });
    assert.equal(status, 200);
    assert.match(body, /rollcall_http_requests_total\{operation="convoso\.users\.search",status="2xx"\} \d+/);
    assertSilent(body, '/metrics');
    await takeLines();
  });
});

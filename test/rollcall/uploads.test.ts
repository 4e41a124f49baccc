import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { request as ask, type ClientRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { SURROUNDINGS } from '../../src/app.ts';
import { Failure } from '../../src/errors.ts';
import {
  type AppUnderTest,
  loadRows,
  makeTokens,
  openAppUnderTest,
  type TokenKind,
} from '../app-under-test.ts';
import { wav } from '../recordings/center.ts';

const MOST = 4_000_000;
const BOUNDARY = 'a-line-that-stands-nowhere-else';
const AUDIO = wav(randomBytes(400_000));
const sha256 = (bytes: Buffer, as: 'hex' | 'base64' = 'hex') => createHash('sha256').update(bytes).digest(as);
const SAID = { user: 'ada@calls.example', startedAt: '2026-03-03 14:30:00' };

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  // biome-ignore lint/suspicious/noExplicitAny: whatever came
  readonly body: any;
}

interface Part {
  readonly name: string;
  readonly content: string | Buffer;
  readonly filename?: string;
}

function formOf(parts: readonly Part[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ name, content, filename }) => [
      Buffer.from(
        `--${BOUNDARY}\r\ncontent-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`,
      ),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${BOUNDARY}--\r\n`),
  ]);
}

const uploadOf = (said: object, audio = AUDIO): Buffer =>
  formOf([
    { name: 'recording', content: JSON.stringify(said) },
    { name: 'audio', content: audio, filename: 'call.wav' },
  ]);

describe('POST /rollcall/v1/recordings', () => {
  let opened: AppUnderTest;
  let address: URL;
  let contactCenter: ContactCenter;
  let tokens: Readonly<Record<TokenKind, string>>;

  before(async () => {
    opened = await openAppUnderTest({ mostUpload: MOST });
    const { app } = opened;
    contactCenter = await app.store.access.createContactCenter(
      'calls',
      'America/New_York',
      SURROUNDINGS.now(),
    );
    await loadRows(app, contactCenter, [{ email: 'ada@calls.example', firstName: 'Ada' }]);
    tokens = await makeTokens(app, contactCenter);
    address = new URL(await app.server.listen({ host: '127.0.0.1', port: 0 }));
  });
  after(() => opened.close());
  let rows = 0;
  let files = 0;
  beforeEach(async () => {
    [rows, files] = [await countRows(), (await listFiles()).length];
  });

  const countRows = async () =>
    (
      await opened.app.store.recordings.page(contactCenter, {
        states: ['pending', 'stored', 'archived', 'purged'],
        limit: 1000,
        count: 'none',
      })
    ).recordings.length;

  async function listFiles(): Promise<string[]> {
    const all = await readdir(join(opened.data, 'media'), { recursive: true, withFileTypes: true }).catch(
      () => [],
    );
    return all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  /** What was refused leaves neither a row nor a file. */
  async function assertNothingKept(): Promise<void> {
    assert.equal(await countRows(), rows);
    assert.equal((await listFiles()).length, files);
  }

  function start(headers: Record<string, string | number> = {}): ClientRequest {
    return ask({
      host: address.hostname,
      port: address.port,
      path: '/rollcall/v1/recordings',
      method: 'POST',
      agent: false,
      headers: {
        authorization: `Bearer ${tokens.good}`,
        'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
        ...headers,
      },
    });
  }

  async function answerTo(request: ClientRequest): Promise<Answer> {
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    const text = Buffer.concat(await answer.toArray()).toString();
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }

  function send(body: Buffer, headers: Record<string, string | number> = {}): Promise<Answer> {
    const request = start({ 'content-length': body.length, ...headers });
    const answer = answerTo(request);
    request.end(body);
    return answer;
  }

  test('takes a recording in, and tells what it is', async () => {
    const said = {
      ...SAID,
      leadId: 4410,
      callId: 'abc-1',
      direction: 'inbound',
      remoteNumber: '+4930901820',
      bytes: AUDIO.length,
      sha256: sha256(AUDIO),
    };
    const { status, headers, body } = await send(uploadOf(said));
    assert.equal(status, 201);
    assert.equal(headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(headers.location, `${address.origin}/rollcall/v1/recordings/${body.number}`);
    const { id, number, createdAt, ...rest } = body;
    assert.match(id, /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, {
      userNumber: 1,
      leadId: 4410,
      callId: 'abc-1',
      direction: 'inbound',
      remoteNumber: '+4930901820',
      seconds: 25,
      state: 'stored',
      legalHold: false,
      startedAt: '2026-03-03T19:30:00.000Z',
      endedAt: '2026-03-03T19:30:25.000Z',
      mediaType: 'audio/wav',
      bytes: AUDIO.length,
      sha256: sha256(AUDIO),
      keepUntil: null,
    });
    const kept = await listFiles();
    assert.equal(kept.length, files + 1);
    const path = kept.find((file) => file.endsWith(id)) ?? '';
    assert.ok((await readFile(path)).equals(AUDIO));
    await opened.app.store.audit.flush();
    const event = (await opened.app.store.audit.page(contactCenter, 0, 1000)).findLast(
      ({ subject }) => subject === String(number),
    );
    assert.equal(event?.action, 'recording.added');
    assert.equal(event?.actor.kind, 'token');
  });

  test('takes it in however its pieces come', async () => {
    const body = uploadOf(SAID);
    const request = start({ 'transfer-encoding': 'chunked' });
    const answer = answerTo(request);
    // Pieces end in the middle of headers, boundaries and everything else.
    for (let at = 0; at < body.length; ) {
      const size = at < 600 || at > body.length - 100 ? 7 : 50_021;
      request.write(body.subarray(at, at + size));
      at += size;
      await new Promise(setImmediate);
    }
    request.end();
    const { status, body: told } = await answer;
    assert.equal(status, 201);
    assert.equal(told.sha256, sha256(AUDIO));
  });

  test('takes a JSON part that comes as a file, and a Content-Digest', async () => {
    const body = formOf([
      { name: 'recording', content: JSON.stringify(SAID), filename: 'recording.json' },
      { name: 'audio', content: AUDIO },
    ]);
    const digest = `md5=:AAAA:, sha-256=:${sha256(body, 'base64')}:`;
    assert.equal((await send(body, { 'content-digest': digest })).status, 201);
    assert.equal((await send(body, { 'content-digest': 'md5=:AAAA:' })).status, 201);
  });

  test('refuses what is not as it was said, and keeps nothing of it', async () => {
    const wrong = sha256(Buffer.from('other'));
    const digest = sha256(Buffer.from('other'), 'base64');
    for (const [name, body, headers, status, field] of [
      ['a wrong checksum', uploadOf({ ...SAID, sha256: wrong }), {}, 400, 'audio'],
      ['shorter than said', uploadOf({ ...SAID, bytes: AUDIO.length + 1 }), {}, 400, 'audio'],
      ['longer than said', uploadOf({ ...SAID, bytes: AUDIO.length - 1 }), {}, 400, 'audio'],
      ['a wrong digest', uploadOf(SAID), { 'content-digest': `sha-256=:${digest}:` }, 400, 'contentDigest'],
      ['an unreadable digest', uploadOf(SAID), { 'content-digest': 'sha-256=abc' }, 400, 'contentDigest'],
      ['no audio of a known type', uploadOf(SAID, Buffer.from('#!/bin/sh\n'.repeat(50))), {}, 415, null],
      ['nobody', uploadOf({ ...SAID, user: 'nobody@calls.example' }), {}, 400, 'user'],
      ['no start', uploadOf({ user: SAID.user }), {}, 400, 'startedAt'],
      ['an unknown field', uploadOf({ ...SAID, path: '../../etc/passwd' }), {}, 400, 'fields'],
      ['too long', uploadOf(SAID, wav(Buffer.alloc(MOST))), {}, 413, null],
      ['an empty key', uploadOf(SAID), { 'idempotency-key': '' }, 400, 'idempotencyKey'],
      ['too long a key', uploadOf(SAID), { 'idempotency-key': 'x'.repeat(256) }, 400, 'idempotencyKey'],
    ] as const) {
      const answer = await send(body, headers);
      assert.equal(answer.status, status, name);
      assert.equal(answer.headers['content-type'], 'application/problem+json');
      assert.equal(answer.body.status, status);
      assert.deepEqual(Object.keys(answer.body.errors ?? {}), field === null ? [] : [field], name);
      await assertNothingKept();
    }
  });

  test('refuses what is no form of two parts', async () => {
    const json = { name: 'recording', content: JSON.stringify(SAID) };
    const audio = { name: 'audio', content: AUDIO, filename: 'call.wav' };
    for (const [name, body, status] of [
      ['audio first', formOf([audio, json]), 400],
      ['audio alone', formOf([audio]), 400],
      ['no audio', formOf([json]), 400],
      ['two of JSON', formOf([json, json, audio]), 400],
      ['two of audio', formOf([json, audio, audio]), 400],
      ['one more part', formOf([json, audio, { name: 'more', content: 'x' }]), 400],
      ['audio by another name', formOf([json, { ...audio, name: 'file' }]), 400],
      ['no JSON', formOf([{ ...json, content: '{"user":' }, audio]), 400],
      ['a list', formOf([{ ...json, content: '[]' }, audio]), 400],
      [
        'too much JSON',
        formOf([{ ...json, content: JSON.stringify({ ...SAID, callId: 'x'.repeat(70_000) }) }, audio]),
        413,
      ],
      ['no end', uploadOf(SAID).subarray(0, -BOUNDARY.length - 6), 400],
      ['nothing', Buffer.alloc(0), 400],
      ['no parts', formOf([]), 400],
      [
        'another boundary',
        Buffer.from(uploadOf(SAID).toString('latin1').replaceAll(BOUNDARY, 'other'), 'latin1'),
        400,
      ],
    ] as const) {
      const answer = await send(body);
      assert.equal(answer.status, status, name);
      await assertNothingKept();
    }
    const noJson = await send(formOf([{ ...json, content: '{"user":"ada' }, audio]));
    assert.equal(noJson.body.detail, 'recording: must be a JSON object');
    assert.deepEqual(noJson.body.errors, { recording: ['must be a JSON object'] });
    const body = uploadOf(SAID);
    for (const [type, status] of [
      ['application/json', 415],
      ['multipart/mixed; boundary=x', 415],
      ['multipart/form-data', 415],
      ['multipart/form-data; boundary=', 400],
    ] as const) {
      assert.equal((await send(body, { 'content-type': type })).status, status, type);
    }
    await assertNothingKept();
  });

  test('needs a token that may write', async () => {
    const body = uploadOf(SAID);
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    for (const kind of ['expired', 'revoked', 'unknown'] as const) {
      const { status, headers } = await send(body, as(tokens[kind]));
      assert.deepEqual([status, headers['www-authenticate']], [401, 'Bearer'], kind);
    }
    for (const kind of ['recordings-only', 'users-only', 'convoso-only'] as const) {
      assert.equal((await send(body, as(tokens[kind]))).status, 403, kind);
    }
    await assertNothingKept();
  });

  test('tells at once that an upload is too long, before it has come', async () => {
    const request = start({ 'content-length': MOST + 200_000 });
    const answer = answerTo(request);
    request.write(uploadOf(SAID).subarray(0, 1000));
    assert.equal((await answer).status, 413);
    request.destroy();
    await assertNothingKept();
  });

  test('lets a client see why it was refused though it has not sent all', async () => {
    const request = start({ 'content-length': 3_000_000, authorization: 'Bearer nothing' });
    const answer = answerTo(request);
    request.write(uploadOf(SAID).subarray(0, 1000));
    assert.equal((await answer).status, 401);
    request.destroy();
    const other = start({ 'transfer-encoding': 'chunked' });
    const told = answerTo(other);
    const body = uploadOf({ ...SAID, bytes: 1000 });
    for (let at = 0; at < body.length; at += 30_000) {
      other.write(body.subarray(at, at + 30_000));
      await new Promise(setImmediate);
    }
    assert.equal((await told).status, 400);
    other.end();
    await assertNothingKept();
  });

  test('keeps nothing of an upload whose client hangs up', async () => {
    const body = uploadOf(SAID);
    for (const length of [100, 1000, 200_000, body.length - 1]) {
      const request = start({ 'content-length': body.length });
      request.on('error', () => {});
      await new Promise<void>((resolve) => request.write(body.subarray(0, length), () => resolve()));
      // It has come as far as it will once something of it lies there, or its row does.
      for (let turn = 0; turn < 20 && length > 1000 && (await listFiles()).length === files; turn += 1) {
        await pause(5);
      }
      request.destroy();
      for (let turn = 0; turn < 400; turn += 1) {
        if ((await countRows()) === rows && (await listFiles()).length === files) break;
        await pause(5);
      }
      await assertNothingKept();
    }
  });

  test('gives the first answer again to the same request with the same key', async () => {
    const headers = { 'idempotency-key': 'first' };
    const first = await send(uploadOf(SAID), headers);
    assert.equal(first.status, 201);
    assert.equal(first.headers['idempotent-replayed'], undefined);
    const again = await send(uploadOf(SAID), headers);
    assert.equal(again.status, 201);
    assert.equal(again.headers['idempotent-replayed'], 'true');
    assert.equal(again.headers.location, first.headers.location);
    assert.deepEqual(again.body, first.body);
    assert.equal(await countRows(), rows + 1);
    assert.equal((await listFiles()).length, files + 1);
    const other = await send(uploadOf(SAID), { 'idempotency-key': 'another' });
    assert.notEqual(other.body.number, first.body.number);
  });

  test('refuses another request with the same key', async () => {
    const headers = { 'idempotency-key': 'second' };
    const first = await send(uploadOf(SAID), headers);
    for (const body of [
      uploadOf({ ...SAID, leadId: 5 }),
      uploadOf({ ...SAID, bytes: AUDIO.length }),
      uploadOf(SAID, wav(randomBytes(400_000))),
    ]) {
      const answer = await send(body, headers);
      assert.equal(answer.status, 409);
      assert.match(answer.body.detail, /[Kk]ey/);
    }
    assert.deepEqual((await send(uploadOf(SAID), headers)).body, first.body);
    assert.equal(await countRows(), rows + 1);
  });

  test('holds a request to what its key was used for though that was let go', async () => {
    const headers = { 'idempotency-key': 'let go' };
    const first = await send(uploadOf(SAID), headers);
    const letGo = await fetch(String(first.headers.location), {
      method: 'DELETE',
      headers: { authorization: `Bearer ${tokens.good}` },
    });
    assert.equal(letGo.status, 204);
    for (const body of [uploadOf({ ...SAID, leadId: 5 }), uploadOf(SAID, wav(randomBytes(400_000)))]) {
      const answer = await send(body, headers);
      assert.equal(answer.status, 409);
      assert.match(answer.body.detail, /[Kk]ey/);
    }
    const again = await send(uploadOf(SAID), headers);
    assert.deepEqual([again.status, again.headers['idempotent-replayed']], [201, 'true']);
    assert.deepEqual([again.body.number, again.body.state], [first.body.number, 'purged']);
    assert.equal(await countRows(), rows + 1);
  });

  test('refuses a request while another with its key is under way', async () => {
    const body = uploadOf(SAID);
    const headers = { 'idempotency-key': 'third' };
    const slow = start({ ...headers, 'content-length': body.length });
    const answer = answerTo(slow);
    slow.write(body.subarray(0, 100_000));
    while ((await countRows()) === rows) await pause(5);
    const busy = await send(body, headers);
    assert.equal(busy.status, 409);
    assert.match(busy.body.detail, /under way/);
    slow.end(body.subarray(100_000));
    const { status, body: told } = await answer;
    assert.equal(status, 201);
    assert.deepEqual((await send(body, headers)).body, told);
  });

  test('a key is free again after a refusal', async () => {
    const headers = { 'idempotency-key': 'fourth' };
    assert.equal((await send(uploadOf({ ...SAID, sha256: 'a'.repeat(64) }), headers)).status, 400);
    assert.equal((await send(uploadOf(SAID), headers)).status, 201);
  });

  test('a place that fails is told with 503, and a retry completes the same recording', async (context) => {
    const headers = { 'idempotency-key': 'fifth' };
    const { main } = opened.app.places;
    const broken = context.mock.method(main, 'put', async () => {
      throw new Failure('unavailable', 'the disk at /secret/place is full', { retryAfter: 30 });
    });
    const failed = await send(uploadOf(SAID), headers);
    assert.equal(failed.status, 503);
    assert.equal(failed.headers['retry-after'], '30');
    assert.ok(!JSON.stringify(failed.body).includes('secret'));
    assert.equal(await countRows(), rows + 1, 'it stays pending');
    broken.mock.restore();
    const done = await send(uploadOf(SAID), headers);
    assert.equal(done.status, 201);
    assert.equal(await countRows(), rows + 1);
    assert.equal((await listFiles()).length, files + 1);
  });
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';

const MIB = 1024 * 1024;

describe('a body', () => {
  let under: AppUnderTest;
  let address: URL;
  before(async () => {
    under = await openAppUnderTest();
    address = new URL(await under.app.server.listen({ host: '127.0.0.1', port: 0 }));
  });
  after(() => under.close());

  for (const size of [2, 5, 15]) {
    it(`of ${size} MiB is refused so that who sends all of it first is told`, async () => {
      const socket = connect(Number(address.port), address.hostname);
      socket.on('error', () => {});
      const answered = text(socket).catch(() => 'hung up');
      socket.write(
        `POST /v1/users/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size * MIB}\r\n\r\n`,
      );
      for (let sent = 0; sent < size; sent += 1) {
        // The answer, and what closes the connection, are there long before the end.
        await sleep(20);
        if (socket.destroyed) break;
        if (!socket.write(Buffer.alloc(MIB, ' ')))
          await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
      }
      socket.end('GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
      const said = await answered;
      assert.match(said, /^HTTP\/1\.1 413 [\s\S]*"code":413/);
      assert.match(said, /HTTP\/1\.1 200 /);
    });

    it(`of ${size} MiB is refused so that fetch is told`, async () => {
      const answer = await fetch(new URL('/v1/users/search', address), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: Buffer.alloc(size * MIB, ' '),
      });
      assert.equal(answer.status, 413);
      await answer.text();
    });
  }

  it('of 17 MiB is hung up on', async () => {
    const socket = connect(Number(address.port), address.hostname);
    socket.on('error', () => {});
    socket.write(
      `POST /v1/users/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${17 * MIB}\r\n\r\n`,
    );
    assert.match(await text(socket), /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  });

  for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
    it(`of ${type} that is not UTF-8 is malformed, and not read as something else`, async () => {
      const body = type.endsWith('json') ? '{"user":"Zo\xeb"}' : 'user=Zo\xeb';
      const answer = await fetch(new URL('/v1/users/search', address), {
        method: 'POST',
        headers: { 'content-type': type },
        body: Buffer.from(body, 'latin1'),
      });
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), {
        success: false,
        code: 400,
        text: 'Bad Request',
        error: 'Bad Request',
      });
    });
  }
});

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { it } from 'node:test';
import { type Drain, prepareDrain } from './drain.ts';

/** Longer than a test may take: it is never waited for. */
const FOREVER = 600_000;
const bound = { timeout: 30_000 };

async function listen(
  answer: RequestListener,
): Promise<{ port: number; server: Server; drain: Drain; close: () => Promise<void> }> {
  const server = createServer(answer);
  const drain = prepareDrain(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return { port: (server.address() as AddressInfo).port, server, drain, close };
}

async function open(server: Server, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await Promise.all([once(server, 'connection'), once(socket, 'connect')]);
  return socket;
}

it('a connection that asks nothing, or only begins to, is not waited for', bound, async () => {
  const { port, server, drain, close } = await listen((_, response) => response.end());
  const silent = await open(server, port);
  const halting = await open(server, port);
  halting.write('GET / HTTP/1.1\r\nhost: x');
  const gone = [silent, halting].map((socket) =>
    once(
      socket.resume().on('error', () => {}),
      'close',
    ),
  );
  assert.equal(await drain(close, FOREVER), 0);
  await Promise.all(gone);
});

it('a request under way is answered whole', bound, async () => {
  const { port, drain, close, server } = await listen((_, response) => response.write('first'));
  const asked = get({ port, host: '127.0.0.1' });
  const [[, response], [answer]] = await Promise.all([once(server, 'request'), once(asked, 'response')]);
  const silent = await open(server, port);
  const drained = drain(close, FOREVER);
  const read = text(answer as IncomingMessage);
  setTimeout(() => response.end(' and last'), 200);
  assert.equal(await read, 'first and last');
  assert.equal(await drained, 0);
  silent.destroy();
});

it('a request that takes too long is cut off and counted', bound, async () => {
  const { port, drain, close } = await listen((_, response) => response.write('first'));
  const asked = get({ port, host: '127.0.0.1' });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const read = assert.rejects(text(answer), { code: 'ECONNRESET' });
  assert.equal(await drain(close, 50), 1);
  await read;
});

it('what does not close at all is not waited for either', bound, async () => {
  const { drain, close } = await listen(() => {});
  assert.equal(await drain(() => new Promise(() => {}), 50), 0);
  await close();
});

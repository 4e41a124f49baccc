import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get as getHttp, type IncomingMessage } from 'node:http';
import { get as getHttps } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { makeSelfSigned } from './self-signed.ts';
import { rollcall, run, serveJson, type Told } from './server-process.ts';
import { describeOnStores } from './stores.ts';

const authorization = ({ demo }: Told) => ({ authorization: `Bearer ${demo?.token}` });

/** Resolves once nothing listens at an address any more. */
async function untilRefused(address: URL): Promise<void> {
  for (;;) {
    const socket = connect(Number(address.port), address.hostname);
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (!isOpen) return;
  }
}

describeOnStores('where and how the server listens', {}, (store) => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-listening-'));
  });
  after(() => rm(folder, { recursive: true }));

  const flagsOf = (name: string) => store.flags(join(folder, name));

  test('SIGTERM lets an answer under way end whole', async () => {
    // Some 10 MB: more than the buffers of both ends of a connection hold.
    const people = 25_000;
    const filled = await rollcall('demo', '--users', String(people), ...(await flagsOf('drain')), '--json');
    assert.equal(filled.code, 0, filled.stderr);
    const server = await serveJson('--demo', ...(await flagsOf('drain')));
    const url = new URL('/user_management/v1/users', server.told.address);
    const asked = getHttp(url, { headers: authorization(server.told), agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    // Not a byte of the body is read yet, so that the rest cannot be sent.
    const ended = server.stop();
    await untilRefused(url);
    assert.equal(await Promise.race([ended, 'still answering']), 'still answering');
    const users: unknown[] = JSON.parse(await text(answer));
    assert.equal(users.length, people);
    assert.equal(answer.headers['transfer-encoding'], 'chunked');
    const { code, stderr } = await ended;
    assert.equal(code, 0);
    const lines = stderr.trimEnd().split('\n');
    assert.equal(lines.length, 1, 'one line for the one request');
    const { operation, status, bytes } = JSON.parse(lines[0] ?? '');
    assert.deepEqual(
      { operation, status, bytes },
      { operation: 'voiso.users.list', status: 200, bytes: Buffer.byteLength(JSON.stringify(users)) },
    );
  });

  test('an answer that takes too long after SIGTERM is cut off, and told of', async () => {
    const server = await serveJson('--demo', ...(await flagsOf('drain')), '--workers', '2');
    const url = new URL('/user_management/v1/users', server.told.address);
    const asked = getHttp(url, { headers: authorization(server.told), agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const { code, stderr } = await server.stop();
    assert.equal(code, 1);
    await assert.rejects(text(answer), { code: 'ECONNRESET' });
    const told = stderr
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { operation = 'drain', brokenOff = null, cut = null } = JSON.parse(line);
        return { operation, brokenOff, cut };
      });
    assert.deepEqual(
      new Set(told),
      new Set([
        { operation: 'drain', brokenOff: null, cut: 1 },
        { operation: 'voiso.users.list', brokenOff: true, cut: null },
      ]),
    );
  });

  test('SIGINT ends an idle server, also one that clients keep connections to', async () => {
    const server = await serveJson(...(await flagsOf('idle')));
    await (await fetch(server.told.health)).text();
    assert.equal((await server.stop('SIGINT')).code, 0);
  });

  test('a public address is taken with --insecure-http', async () => {
    const server = await serveJson('--host', '0.0.0.0', '--insecure-http', ...(await flagsOf('insecure')));
    const { port } = new URL(server.told.address);
    assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
    assert.equal((await server.stop()).code, 0);
  });

  test('with TLS a public address is taken, and answers are the same', async () => {
    const { cert, key } = makeSelfSigned();
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(certFile, cert);
    await writeFile(keyFile, key);
    const flags = ['--host', '0.0.0.0', '--tls-cert', certFile, '--tls-key', keyFile];
    const server = await serveJson('--demo', ...flags, ...(await flagsOf('tls')));
    const { port, protocol } = new URL(server.told.address);
    assert.equal(protocol, 'https:');
    const url = `https://127.0.0.1:${port}/voiso/user_management/v1/users?limit=3`;
    const asked = getHttps(url, { ca: cert, headers: authorization(server.told), agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    assert.equal(JSON.parse(await text(answer)).length, 3);
    for (const { command } of server.told.samples) {
      const { code, stdout, stderr } = await run('bash', ['-c', `cd ${folder} && ${command}`]);
      assert.equal(code, 0, stderr);
      if (!command.includes(' -o ')) assert.equal(typeof JSON.parse(stdout), 'object');
    }
    assert.equal((await readFile(join(folder, 'recording.wav'))).toString('latin1', 0, 4), 'RIFF');
    assert.equal((await server.stop()).code, 0);
  });

  test('a port that is taken is told in one line', async () => {
    const first = await serveJson(...(await flagsOf('taken')));
    const { port } = new URL(first.told.address);
    const { code, stdout, stderr } = await rollcall('serve', '--port', port, ...(await flagsOf('taken')));
    assert.deepEqual({ code, stdout }, { code: 1, stdout: '' });
    assert.match(stderr, /^rollcall: port \d+ is taken[^\n]*--port\n$/);
    await first.stop();
  });
});

// Whatever keeps the store, none is opened.
describe('what serve refuses', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-refused-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('a public address without TLS is refused in one line', async () => {
    for (const host of ['0.0.0.0', '::']) {
      const { code, stdout, stderr } = await rollcall(
        'serve',
        '--host',
        host,
        '--data',
        join(folder, 'public'),
      );
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, /^rollcall: [^\n]*--tls-cert and --tls-key[^\n]*--insecure-http[^\n]*\n$/);
    }
  });

  test('a certificate without its key, and one that is not there, are refused in one line', async () => {
    const missing = join(folder, 'missing.pem');
    for (const flags of [
      ['--tls-cert', missing],
      ['--tls-cert', missing, '--tls-key', missing],
    ]) {
      const { code, stdout, stderr } = await rollcall('serve', ...flags, '--data', join(folder, 'tls'));
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' });
      assert.match(stderr, /^rollcall: [^\n]*--tls-(cert|key)[^\n]*\n$/);
    }
  });

  test('flags that mean nothing are refused in one line', async () => {
    for (const flags of [['--port', '70000'], ['--nothing']]) {
      const { code, stdout, stderr } = await rollcall('serve', ...flags, '--data', join(folder, 'flags'));
      assert.deepEqual({ code, stdout }, { code: 2, stdout: '' }, flags.join(' '));
      assert.match(stderr, /^rollcall: [^\n]+\n$/);
    }
  });
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json, text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT, rollcall, type ServerProcess, serveJson, type Told } from './server-process.ts';
import { describeOnStores } from './stores.ts';

describeOnStores('a server of two workers', {}, (store) => {
  let data: string;
  let server: ServerProcess & { readonly told: Told };
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-workers-'));
    server = await serveJson('--demo', '--workers', '2', ...(await store.flags(data)));
  });
  after(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });

  /** Each request on a connection of its own: connections are what is shared out. */
  const ask = async (
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<IncomingMessage> => {
    const asked = get(new URL(path, server.told.address), { headers: { ...headers }, agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    return answer;
  };

  test('answers on one port, and tells the figures of both at /metrics', async () => {
    assert.equal(server.told.workers, 2);
    const headers = { authorization: `Bearer ${server.told.demo?.token}` };
    const requests = 20;
    for (let sent = 0; sent < requests; sent += 1) {
      const answer = await ask('/v1/users?limit=1', headers);
      assert.equal(answer.statusCode, 200);
      assert.equal(((await json(answer)) as { count: number }).count, 1);
    }
    const told = new Set<number>();
    for (let scrape = 0; scrape < 4; scrape += 1) {
      const figures = await text(await ask('/metrics'));
      const line = /^rollcall_http_requests_total\{operation="smartflo\.users\.list",status="2xx"\} (\d+)$/m;
      told.add(Number(line.exec(figures)?.[1]));
      // The store tells every worker the same; their figures must not be added up.
      assert.match(figures, /^rollcall_imported_rows\{outcome="made"\} 50$/m);
    }
    assert.deepEqual([...told], [requests], 'whichever worker is asked');
  });

  test('refuses a token from its revocation on, in both workers', async () => {
    const flags = await store.flags(data);
    const made = ['--contact-center', 'demo', '--name', 'qa', '--scopes', 'users:read', '--json'];
    const { stdout } = await rollcall('token', 'create', ...made, ...flags);
    const { token, id } = JSON.parse(stdout);
    const statuses = async () => {
      const seen = new Set<number | undefined>();
      for (let sent = 0; sent < 10; sent += 1) {
        const { statusCode } = await ask('/v1/users?limit=1', { authorization: `Bearer ${token}` });
        seen.add(statusCode);
      }
      return [...seen];
    };
    assert.deepEqual(await statuses(), [200]);
    assert.equal((await rollcall('token', 'revoke', id, ...flags)).code, 0);
    assert.deepEqual(await statuses(), [401]);
  });

  test('has another worker where one is killed', async () => {
    const workers = async () => {
      const { pid } = server;
      return (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number);
    };
    const before = await workers();
    const [killed = 0, other] = before;
    assert.equal(before.length, 2);
    process.kill(killed, 'SIGKILL');
    let now = before;
    while (now.length < 2 || now.includes(killed)) {
      await sleep(10);
      now = await workers();
    }
    assert.ok(now.includes(other ?? 0));
    for (let sent = 0; sent < 10; sent += 1) assert.equal((await ask('/readyz')).statusCode, 200);
  });

  test('ends with both workers at SIGTERM', async () => {
    const { code, stderr } = await server.stop();
    assert.equal(code, 0);
    for (const line of stderr.trimEnd().split('\n')) assert.equal(typeof JSON.parse(line), 'object');
    await assert.rejects(ask('/healthz'), { code: 'ECONNREFUSED' });
  });
});

test('workers that cannot listen end, and the first process with them', async () => {
  const data = await mkdtemp(join(tmpdir(), 'rollcall-workers-'));
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const ended = await rollcall('serve', '--data', data, '--workers', '2', '--port', String(port));
  assert.equal(ended.code, 1);
  assert.match(ended.stderr, /^rollcall: port \d+ is taken by another program; give another with --port$/m);
  other.close();
  await rm(data, { recursive: true });
});

for (const sign of ['rollcall.sqlite', 'a worker', 'a second worker']) {
  test(`a server that is ended while it starts, as soon as there is ${sign}, ends quietly`, async () => {
    const data = await mkdtemp(join(tmpdir(), 'rollcall-workers-'));
    const bin = join(ROOT, 'bin/rollcall.js');
    const child = spawn(process.execPath, [bin, 'serve', '--data', data, '--workers', '2', '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const said = text(child.stderr);
    const ended = once(child, 'exit');
    const { pid } = child;
    const workers = async () =>
      (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).split(' ').filter((each) => each !== '');
    const isThere = async () => {
      if (sign === 'rollcall.sqlite') return (await readdir(data)).length > 0;
      return (await workers()).length >= (sign === 'a worker' ? 1 : 2);
    };
    while (!(await isThere())) await sleep(5);
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
    assert.equal(await said, '');
    await rm(data, { recursive: true });
  });
}

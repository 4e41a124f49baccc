import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rollcall, run, type ServerProcess, serveJson, servePlain, type Told } from './server-process.ts';
import { describeOnStores } from './stores.ts';

/** The JSON that a printed command gives when it is pasted into a shell. */
async function paste(command: string): Promise<unknown> {
  const { code, stdout, stderr } = await run('bash', ['-c', command]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

interface OfficialAnswer {
  readonly success: boolean;
  readonly data: { readonly total: string; readonly results: Readonly<Record<string, unknown>> };
}

interface OfficialRecordings {
  readonly success: boolean;
  readonly data: { readonly total: number; readonly entries: readonly { readonly url: string }[] };
}

/** Runs the printed command that loads a recording's audio down; it must be audio. */
async function checkDownload(command: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-download-'));
  try {
    const { code, stdout, stderr } = await run('bash', ['-c', `cd ${folder} && ${command}`]);
    assert.deepEqual([code, stdout], [0, ''], stderr);
    const [name] = await readdir(folder);
    const audio = await readFile(join(folder, name ?? ''));
    assert.equal(audio.toString('latin1', 0, 4), 'RIFF');
    assert.equal(audio.readUInt32LE(4), audio.length - 8);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Links lead to the server that was asked, and end. */
const withoutUrls = (answers: readonly unknown[]): unknown =>
  JSON.parse(JSON.stringify(answers, (key, value) => (key === 'url' || key === 'links' ? undefined : value)));

/** Checks the answers of the printed commands. Gives them, to be compared with a later start's. */
async function checkSamples(commands: readonly string[]): Promise<unknown> {
  const answers: unknown[] = [];
  const download = commands.find((command) => command.includes(' -o '));
  assert.ok(download, 'a command loads audio down');
  await checkDownload(download);
  for (const command of commands) if (command !== download) answers.push(await paste(command));
  const [official, community, ofUsers, ofLead, voiso, voisoApi, smartflo, own, ...more] = answers as [
    OfficialAnswer,
    { email: string }[],
    OfficialRecordings,
    OfficialRecordings,
    { id: number; email: string }[],
    unknown,
    { has_more: boolean; count: number; data: unknown[] },
    { recordings: unknown[] },
  ];
  assert.deepEqual(more, []);
  for (const { success, data } of [ofUsers, ofLead]) {
    assert.equal(success, true);
    assert.ok(data.total > 0 && data.entries.length > 0);
    for (const { url } of data.entries) {
      const audio = Buffer.from(await (await fetch(url)).arrayBuffer());
      assert.equal(audio.toString('latin1', 0, 4), 'RIFF');
    }
  }
  assert.equal(own.recordings.length, 5);
  assert.equal(official.success, true);
  assert.equal(official.data.total, '1');
  assert.equal(Object.keys(official.data.results).length, 1);
  assert.equal(community.length, 1);
  assert.equal(voiso.length, 1);
  assert.equal(voiso[0]?.email, community[0]?.email);
  assert.deepEqual(voisoApi, voiso);
  assert.deepEqual(
    { ...smartflo, data: smartflo.data.length },
    { ...smartflo, has_more: true, count: 5, data: 5 },
  );
  return withoutUrls(answers);
}

async function listEveryone({ address, demo }: Told): Promise<{ email: string }[]> {
  const answer = await fetch(`${address}/user_management/v1/users`, {
    headers: { authorization: `Bearer ${demo?.token}` },
  });
  assert.equal(answer.status, 200);
  return (await answer.json()) as { email: string }[];
}

describeOnStores('a server that was started as a user would', {}, (store) => {
  let folder: string;
  let data: string;
  let flags: string[];
  let server: ServerProcess & { readonly told: Told };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-acceptance-'));
    data = join(folder, 'data');
    flags = await store.flags(data);
    server = await serveJson('--demo', ...flags);
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const countRecordings = async () => {
    const list = await rollcall('recordings', 'list', '--contact-center', 'demo', ...flags, '--json');
    return JSON.parse(list.stdout).total;
  };

  test('makes the contact center demo with 50 people and 200 recordings, in a folder of its owner alone', async () => {
    assert.equal(server.told.demo?.contactCenter, 'demo');
    assert.equal((await listEveryone(server.told)).length, 50);
    assert.equal(await countRecordings(), 200);
    assert.equal((await stat(data)).mode & 0o077, 0);
  });

  test('prints commands that work when pasted, one for each endpoint', async () => {
    await checkSamples(server.told.samples.map(({ command }) => command));
  });

  test('is alive and ready', async () => {
    for (const [url, status] of [
      [server.told.health, 'ok'],
      [server.told.ready, 'ready'],
    ] as const) {
      const answer = await fetch(url);
      assert.equal(answer.status, 200);
      assert.deepEqual(await answer.json(), { status });
    }
  });

  test('tells its figures at /metrics', async () => {
    const answer = await fetch(server.told.metrics);
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers.get('content-type')), /^text\/plain; version=0\.0\.4/);
    const text = await answer.text();
    for (const line of [
      /^rollcall_http_requests_total\{operation="convoso\.users\.search",status="2xx"\} [1-9]/m,
      /^rollcall_http_request_duration_seconds_bucket\{le="0\.005",operation="smartflo\.users\.list"\} \d/m,
      /^rollcall_store_statement_duration_seconds_count\{statement="[a-z_.]+"\} [1-9]/m,
      /^rollcall_imported_rows\{outcome="made"\} 50$/m,
      new RegExp(`^rollcall_store_info\\{engine="${store.name.toLowerCase()}",version="\\d[^"]+"\\} 1$`, 'm'),
      store.name === 'SQLite'
        ? /^rollcall_sqlite_pages [1-9]\d+$/m
        : /^rollcall_postgres_pool_max\{pool="read"\} 9$/m,
    ]) {
      assert.match(text, line);
    }
  });

  test('keeps everything at a second start, and prints a fresh token and commands that work', async () => {
    const people = await listEveryone(server.told);
    const answers = await checkSamples(server.told.samples.map(({ command }) => command));
    const { stderr, code } = await server.stop();
    assert.equal(code, 0);
    const token = server.told.demo?.token ?? '';
    assert.ok(!stderr.includes(token) && !stderr.includes('@'), 'the log shows a token or an email');

    const file = join(folder, 'extra.jsonl');
    await writeFile(file, `${JSON.stringify({ email: 'extra@demo.example', firstName: 'Extra' })}\n`);
    const imported = await rollcall('import', file, '--contact-center', 'demo', ...flags, '--json');
    assert.deepEqual({ code: imported.code, made: JSON.parse(imported.stdout).made }, { code: 0, made: 1 });

    server = await serveJson('--demo', ...flags);
    assert.notEqual(server.told.demo?.token, token);
    const later = await listEveryone(server.told);
    assert.deepEqual(later.slice(0, 50), people);
    assert.equal(await countRecordings(), 200);
    assert.deepEqual(
      later.slice(50).map(({ email }) => email),
      ['extra@demo.example'],
    );
    assert.deepEqual(await checkSamples(server.told.samples.map(({ command }) => command)), answers);
  });

  test('prints the same for people as it does for programs', async () => {
    const plain = await servePlain('--demo', ...flags);
    try {
      const lines = plain.printed.split('\n');
      await checkSamples(lines.filter((line) => line.startsWith('curl ')));
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(lines[0] ?? '') ?? [];
      for (const path of ['/docs', '/openapi.json', '/healthz', '/readyz', '/metrics']) {
        assert.ok(plain.printed.includes(`${address}${path}`), `${path} is told`);
      }
      assert.match(plain.printed, /demo token rollcall_[0-9A-Za-z]{49}\n/);
    } finally {
      await plain.stop();
    }
  });
});

import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { rollcall, run, serveJson } from '../acceptance/server-process.ts';
import { ask, assertOneLine, BIN, emailOf, failsWith, people, succeed } from './commands.ts';
import { mountDisk, type SmallDisk, whyNoMount } from './small-disk.ts';
import { checkStore } from './store-check.ts';

const PEOPLE = 2500;
const folder = mkdtempSync(join(tmpdir(), 'rollcall-full-'));
after(() => rm(folder, { recursive: true, force: true }));

describe('a full disk', { skip: whyNoMount(folder) }, () => {
  let disk: SmallDisk;
  let data: string;
  let file: string;
  before(async () => {
    disk = mountDisk(join(folder, 'disk'), 2);
    data = join(disk.path, 'data');
    file = join(folder, 'people.jsonl');
    await writeFile(file, people(1, PEOPLE));
    await succeed('contact-center', 'create', 'north', '--data', data);
  });
  after(() => disk.drop());
  const north = (store = data) => ['--contact-center', 'north', '--data', store];

  it('ends an import with one line, and loads everyone once there is room', async () => {
    await failsWith(/disk is full/, 'import', file, ...north());
    checkStore(data);
    disk.resize(64);
    const { made, unchanged } = JSON.parse(await succeed('import', file, ...north(), '--json'));
    assert.equal(made + unchanged, PEOPLE);
    assert.equal(checkStore(data).length, PEOPLE);
  });

  it('ends commands and starts with one line, and harms nothing', async () => {
    const token = ['token', 'create', '--name', 'a', ...north()];
    const begin = ['contact-center', 'create', 'b', '--data', join(disk.path, 'new')];
    // A reader leaves the files of a store's log behind; while they are there, a start needs no room.
    await succeed('token', 'list', '--data', data);
    assert.deepEqual(await readdir(data), ['rollcall.sqlite']);
    try {
      // Each gives back at its end what little it took: it is filled again.
      disk.fill();
      await failsWith(/disk is full/, ...token);
      disk.fill();
      await failsWith(/disk is full/, 'serve', '--port', '0', '--data', data);
      disk.fill();
      await failsWith(/disk is full/, ...begin);
    } finally {
      disk.free();
    }
    await succeed(...token);
    assert.equal(checkStore(data).length, PEOPLE);
  });

  it('does not stop a server that reads', async () => {
    const token = ['token', 'create', '--name', 'b', ...north()];
    const headers = { authorization: `Bearer ${JSON.parse(await succeed(...token, '--json')).token}` };
    const server = await serveJson('--data', data);
    try {
      disk.fill();
      for (const path of ['/readyz', '/v1/users?limit=1000', `/v1/users/search?user=${emailOf(7)}`]) {
        const answer = await ask(server.told.address + path, headers);
        assert.equal(answer.status, 200, path);
      }
      // What another process writes fails by itself alone.
      assertOneLine(await rollcall(...token), /disk is full/, 'token create');
      assert.equal((await ask(server.told.ready)).status, 200);
    } finally {
      disk.free();
      assert.equal((await server.stop()).code, 0);
    }
  });

  it('leaves no export behind, and nothing instead of one', async () => {
    const kept = join(disk.path, 'kept.jsonl');
    await writeFile(kept, 'as it was\n');
    // A full disk takes the store's own files too; another one has room for those.
    const store = join(folder, 'store');
    try {
      await succeed('contact-center', 'create', 'north', '--data', store);
      await succeed('import', file, ...north(store));
      disk.fill();
      for (const path of [kept, join(disk.path, 'fresh.jsonl')]) {
        await failsWith(/disk/, 'export', ...north(store), '--output', path);
      }
      assert.equal(await readFile(kept, 'utf8'), 'as it was\n');
      const left = await readdir(disk.path);
      assert.deepEqual(
        left.filter((name) => /fresh|partial/.test(name)),
        [],
      );

      const bad = join(folder, 'bad.jsonl');
      await writeFile(
        bad,
        `{"email":"secret@faults.example","status":"gone"}\n${people(PEOPLE + 1, PEOPLE + 1)}`,
      );
      const rejects = join(disk.path, 'rejects.jsonl');
      const ended = await rollcall('import', bad, ...north(store), '--rejects', rejects);
      assert.equal(ended.code, 1);
      assert.match(
        ended.stderr,
        /^line 1: status: [^\n]+\nrollcall: cannot write the file that --rejects[^\n]+\n$/,
      );
      assert.ok(!ended.stderr.includes('@'));
      // What was good is kept all the same.
      assert.ok(checkStore(store).includes(emailOf(PEOPLE + 1)));
    } finally {
      disk.free();
    }
  });
});

describe('a stdout that takes no more', () => {
  let data: string;
  before(async () => {
    data = join(folder, 'out');
    await succeed('contact-center', 'create', 'north', '--data', data);
  });
  const shell = (command: string) =>
    run('bash', ['-c', `set -o pipefail; "$0" "$1" ${command}`, process.execPath, BIN]);

  it('is told in one line', async () => {
    const commands = ['contact-center list', 'doctor', 'export --contact-center north', 'token list --json'];
    await Promise.all(
      commands.map(async (command) =>
        assertOneLine(await shell(`${command} --data '${data}' >/dev/full`), /stdout|export/, command),
      ),
    );
  });

  it('is no failure where the reader has seen enough', async () => {
    const commands = [`contact-center list --data '${data}'`, `token list --json --data '${data}'`, '--help'];
    await Promise.all(
      commands.map(async (command) => {
        const ended = await shell(`${command} | true`);
        assert.deepEqual([ended.code, ended.stderr], [0, ''], command);
      }),
    );
  });
});

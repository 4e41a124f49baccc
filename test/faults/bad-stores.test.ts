import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { rollcall, run, serveJson } from '../acceptance/server-process.ts';
import { assertOneLine, failsWith, people, succeed } from './commands.ts';
import { mountReadOnly, whyNoMount } from './small-disk.ts';

const folder = mkdtempSync(join(tmpdir(), 'rollcall-stores-'));
const good = join(folder, 'good');
const file = join(folder, 'people.jsonl');
before(async () => {
  await succeed('contact-center', 'create', 'north', '--data', good);
  await writeFile(file, people(1, 2000));
  await succeed('import', file, '--contact-center', 'north', '--data', good);
});
after(() => rm(folder, { recursive: true, force: true }));

/** Every way of opening the store. */
const OPENERS: readonly (readonly string[])[] = [
  ['serve', '--port', '0'],
  ['doctor'],
  ['import', file, '--contact-center', 'north'],
];

/** Each opener (one where no more are asked for) must refuse the store in one line, and leave its bytes alone. */
async function refuse(
  data: string,
  reason: RegExp,
  openers: readonly (readonly string[])[] = OPENERS.slice(0, 1),
): Promise<void> {
  const path = join(data, 'rollcall.sqlite');
  const bytes = await readFile(path);
  const ended = await Promise.all(openers.map((command) => rollcall(...command, '--data', data)));
  for (const [at, each] of ended.entries()) {
    assertOneLine(each, reason, openers[at]?.join(' ') ?? '');
    assert.ok(!each.stdout.includes('@') && !each.stderr.includes('@'));
  }
  assert.ok(bytes.equals(await readFile(path)), 'the file was changed');
}

/** A copy of the good store. */
async function copy(name: string): Promise<{ data: string; path: string }> {
  const data = join(folder, name);
  await cp(good, data, { recursive: true });
  return { data, path: join(data, 'rollcall.sqlite') };
}

describe('a store that cannot be used is refused in one line and left as it is', () => {
  it('garbage', async () => {
    const { data, path } = await copy('garbage');
    await writeFile(path, Buffer.alloc(100_000, 'secret@faults.example '));
    await refuse(data, /damaged or not a Rollcall store; restore a backup/, OPENERS);
  });

  it('a file that was cut in half or in its first page', async () => {
    for (const [name, size] of [
      ['half', (await stat(join(good, 'rollcall.sqlite'))).size / 2],
      ['head', 50],
    ] as const) {
      const { data, path } = await copy(name);
      await truncate(path, size);
      await refuse(data, /damaged or not a Rollcall store; restore a backup/);
    }
  });

  it('one of a newer version', async () => {
    const { data, path } = await copy('newer');
    const db = new Database(path);
    const next = Number(db.prepare('select max(number) + 1 from migrations').pluck(true).get());
    db.prepare('insert into migrations values (?, ?, 1)').run(next, `000${next}-of-the-future`);
    db.close();
    await refuse(data, /newer Rollcall/);
  });

  it("another program's database", async () => {
    const { data, path } = await copy('foreign');
    await rm(path);
    const db = new Database(path);
    db.exec('create table users (name text)');
    db.close();
    await refuse(data, /another program's database/);
  });
});

describe('a data folder that cannot be made or written', () => {
  it('is told in one line', async () => {
    const plain = join(folder, 'plain');
    await writeFile(plain, '');
    const taken = join(folder, 'taken');
    await mkdir(join(taken, 'rollcall.sqlite'), { recursive: true });
    const open = ['contact-center', 'create', 'north', '--data'];
    await Promise.all([
      failsWith(/--data/, ...open, plain),
      failsWith(/cannot make the folder .*--data/, ...open, join(plain, 'in/it')),
      failsWith(/--data/, ...open, taken),
      failsWith(/--data/, ...open, '/dev/null'),
      // Where no folder can be made at all, Node's own way of making all of a path never ends.
      failsWith(/cannot make the folder/, ...open, '/proc/rollcall/data'),
    ]);
  });

  it('is told where it can only be read', { skip: whyNoMount(folder) }, async () => {
    const { data } = await copy('read-only');
    const seen = join(folder, 'seen');
    const leave = mountReadOnly(data, seen);
    try {
      await Promise.all([
        ...OPENERS.map((command) => failsWith(/permissions|--data/, ...command, '--data', seen)),
        failsWith(/cannot make the folder/, 'contact-center', 'create', 'north', '--data', join(seen, 'new')),
      ]);
    } finally {
      leave();
    }
    assert.match(await succeed('doctor', '--data', data), /all is well\n$/);
  });
});

describe('what is kept is for its owner alone', () => {
  it('in a folder that was there before, open to all', async () => {
    const data = join(folder, 'open');
    await mkdir(data);
    await chmod(data, 0o755);
    const before = process.umask(0);
    try {
      await succeed('contact-center', 'create', 'north', '--data', data);
      const server = await serveJson('--data', data, '--demo');
      try {
        const names = await readdir(data);
        const files = ['rollcall.sqlite', 'rollcall.sqlite-shm', 'rollcall.sqlite-wal'];
        assert.deepEqual(names.sort(), ['media', ...files]);
        for (const name of names) {
          const mode = name === 'media' ? 0o700 : 0o600;
          assert.equal((await stat(join(data, name))).mode & 0o777, mode, name);
        }
      } finally {
        await server.stop();
      }
    } finally {
      process.umask(before);
    }
  });

  it('in folders that were made on the way', async () => {
    const data = join(folder, 'deep/er/data');
    await succeed('contact-center', 'create', 'north', '--data', data);
    assert.equal((await stat(data)).mode & 0o777, 0o700);
  });

  it('and an export goes into a pipe as it stands', async () => {
    const pipe = join(folder, 'pipe');
    assert.equal((await run('mkfifo', [pipe])).code, 0);
    // Read by another process: one that waits for a writer in vain can be killed.
    const [read] = await Promise.all([
      run('cat', [pipe]),
      succeed('export', '--contact-center', 'north', '--data', good, '--output', pipe),
    ]);
    assert.equal(read.stdout.trim().split('\n').length, 2000);
    assert.ok((await stat(pipe)).isFIFO());
  });
});

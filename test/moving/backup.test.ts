import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import Database from 'better-sqlite3';
import { Failure } from '../../src/errors.ts';
import { restoreBackup } from '../../src/store/backup/restore.ts';
import { run, serveJson } from '../acceptance/server-process.ts';
import { failsWith, makeFolder, people, succeed } from '../faults/commands.ts';
import { checkStore } from '../faults/store-check.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { addHardRows, databasePlace, filePlace, type Place } from './places.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let server: PostgresServer;
let made = 0;
/** A store in a file, its rows, and backups of it in both forms. */
let source: Place;
let wanted: Record<string, string[]>;
let inOwnForm: string;
let portable: string;

const nextPath = (): string => {
  made += 1;
  return join(folder.path, `file-${made}`);
};
const makePlace = async (engine: Place['engine']): Promise<Place> => {
  made += 1;
  return engine === 'SQLite' ? filePlace(folder.path, `place-${made}`) : databasePlace(server);
};

before(async () => {
  folder = await makeFolder('backup');
  if (noPostgres === false) server = await PostgresServer.start();
  source = await makePlace('SQLite');
  const file = join(folder.path, 'people.jsonl');
  await writeFile(file, people(1, 300));
  await succeed('demo', '--users', '30', ...source.flags, '--media', join(folder.path, 'media'));
  await succeed('contact-center', 'create', 'north', ...source.flags);
  await succeed('import', file, '--contact-center', 'north', ...source.flags);
  await addHardRows(source);
  wanted = await source.rows();
  [inOwnForm, portable] = [nextPath(), nextPath()];
  await succeed('backup', inOwnForm, ...source.flags);
  await succeed('backup', portable, '--portable', ...source.flags);
});
after(async () => {
  await server?.stop();
  await folder.drop();
});

/** Restores as the command does, in this process: many commands take long on a busy machine. */
const restore = (path: string, { place }: Place, how: { force?: boolean; dryRun?: boolean } = {}) =>
  restoreBackup(path, place, {
    force: false,
    dryRun: false,
    now: Date.now,
    onShare: () => {},
    env: {},
    ...how,
  });
const rejectsWith = (reason: RegExp, work: Promise<unknown>, what: string): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof Failure, `${what}: ${error}`);
    assert.match(error.message, reason, what);
    assert.ok(!error.message.includes('\n') && !error.message.includes('@faults.example'), what);
    return true;
  });

describe('backup', () => {
  it('writes a file for its owner alone, and tells its checksum and rows', async () => {
    for (const flags of [[], ['--portable']]) {
      const path = nextPath();
      const before = process.umask(0);
      const told = JSON.parse(await succeed('backup', path, '--json', ...flags, ...source.flags));
      process.umask(before);
      const { mode, size } = await stat(path);
      assert.equal(mode & 0o777, 0o600);
      assert.equal(told.bytes, size);
      assert.equal(told.form, flags.length === 0 ? 'sqlite' : 'portable');
      assert.equal((await run('sha256sum', [path])).stdout.split(' ')[0], told.sha256);
      assert.equal(told.rows.users, wanted.users?.length);
      const names = await readdir(folder.path);
      assert.deepEqual(
        names.filter((name) => name.includes('.partial')),
        [],
      );
    }
  });

  it('in the form of SQLite is a database that SQLite opens as it is', async () => {
    const db = new Database(inOwnForm, { readonly: true });
    assert.equal(db.prepare('select count(*) from users').pluck(true).get(), wanted.users?.length);
    db.close();
  });

  it('leaves a file alone that is there, and says what cannot be written', async () => {
    const path = nextPath();
    await writeFile(path, 'mine');
    await failsWith(/is there already/, 'backup', path, ...source.flags);
    assert.equal(await readFile(path, 'utf8'), 'mine');
    await failsWith(/no folder for it/, 'backup', join(folder.path, 'no/such/folder'), ...source.flags);
    await failsWith(/there is no store/, 'backup', nextPath(), '--data', join(folder.path, 'none'));
  });

  it('of a store that is being written has one state of it', async () => {
    const [place, file] = [await makePlace('SQLite'), nextPath()];
    await writeFile(file, people(1, 9000));
    await succeed('contact-center', 'create', 'north', ...place.flags);
    const written = succeed('import', file, '--contact-center', 'north', ...place.flags);
    const backups = [nextPath(), nextPath(), nextPath()];
    for (const [at, path] of backups.entries()) {
      await succeed('backup', path, ...(at === 1 ? ['--portable'] : []), ...place.flags);
    }
    await written;
    for (const path of backups) {
      const restored = await makePlace('SQLite');
      await succeed('restore', path, ...restored.flags);
      checkStore(restored.place.data);
    }
  });
});

describe('restore', () => {
  const FORMS = ['SQLite', 'SQLite, portable', 'PostgreSQL'] as const;
  for (const form of FORMS) {
    for (const engine of ['SQLite', 'PostgreSQL'] as const) {
      const skip = form !== 'PostgreSQL' && engine === 'SQLite' ? false : noPostgres;
      it(`gives every row of a backup of ${form} back in ${engine}`, { skip }, async () => {
        let file = form === 'SQLite' ? inOwnForm : portable;
        if (form === 'PostgreSQL') {
          const database = await makePlace('PostgreSQL');
          await restore(portable, database);
          file = nextPath();
          await succeed('backup', file, '--portable', ...database.flags);
        }
        const target = await makePlace(engine);
        const dry = await restore(file, target, { dryRun: true });
        assert.deepEqual([dry.target, dry.facts.rows.users], ['nothing', wanted.users?.length]);
        assert.deepEqual(await target.rows(), {}, 'a dry run makes nothing');
        await succeed('restore', file, ...target.flags);
        assert.deepEqual(await target.rows(), wanted);
        await succeed('contact-center', 'create', 'west', ...target.flags);
        // What is there is not lost without being asked for.
        await rejectsWith(/there is a store already.*--force/, restore(file, target), form);
        assert.equal((await target.rows()).contact_centers?.length, 3);
        assert.equal((await restore(file, target, { force: true })).target, 'a store');
        assert.deepEqual(await target.rows(), wanted);
      });
    }
  }

  it('takes a store that was made and has nothing in it for an empty place', async () => {
    const target = await makePlace('SQLite');
    await succeed('db', 'migrate', ...target.flags);
    await succeed('restore', inOwnForm, ...target.flags);
    assert.deepEqual(await target.rows(), wanted);
  });

  it('replaces no file that a process has open, and what is damaged only when told to', async () => {
    const target = await makePlace('SQLite');
    await succeed('contact-center', 'create', 'north', ...target.flags);
    const serving = await serveJson(...target.flags);
    try {
      for (const file of [inOwnForm, portable]) {
        await failsWith(/another process has this store open/, 'restore', file, '--force', ...target.flags);
      }
    } finally {
      await serving.stop();
    }
    assert.equal((await target.rows()).contact_centers?.length, 1);
    await succeed('restore', inOwnForm, '--force', ...target.flags);
    const broken = await makePlace('SQLite');
    await mkdir(broken.place.data);
    const path = join(broken.place.data, 'rollcall.sqlite');
    await writeFile(path, Buffer.alloc(50_000, 'x'));
    await writeFile(`${path}-wal`, Buffer.alloc(50_000, 'y'));
    await failsWith(/there is something damaged already/, 'restore', inOwnForm, ...broken.flags);
    await succeed('restore', inOwnForm, '--force', ...broken.flags);
    assert.deepEqual(await broken.rows(), wanted);
  });

  it('replaces nothing of another program, whatever it is told', async () => {
    const engines = noPostgres === false ? (['SQLite', 'PostgreSQL'] as const) : (['SQLite'] as const);
    for (const engine of engines) {
      for (const sql of [
        'create table roles (theirs integer)',
        'create table migrations (id integer, batch integer)',
        'create table users (theirs integer); insert into users values (1)',
      ]) {
        const target = await makePlace(engine);
        await target.execute(sql);
        const before = await target.tables();
        for (const path of [inOwnForm, portable]) {
          const work = restore(path, target, { force: true });
          await rejectsWith(/tables of another program/, work, `${engine}: ${sql}`);
        }
        assert.deepEqual(await target.tables(), before);
      }
    }
  });

  it('brings a backup of an older version up to date', async () => {
    const old = await makePlace('SQLite');
    const script = join(import.meta.dirname, '../faults/migrating.ts');
    assert.equal((await run(process.execPath, [script, old.place.data, '-', '1', '9999', 'kill'])).code, 0);
    await old.execute(`insert into contact_centers
      (contact_center_id, name, timezone, settings, revision, next_number, created_at)
      values (7, 'north', 'UTC', '{}', 1, 1, 1)`);
    const file = nextPath();
    await succeed('backup', file, '--portable', ...old.flags);
    const engines = noPostgres === false ? (['SQLite', 'PostgreSQL'] as const) : (['SQLite'] as const);
    for (const engine of engines) {
      const target = await makePlace(engine);
      await succeed('restore', file, ...target.flags);
      assert.match(await succeed('db', 'status', ...target.flags), /up to date\n$/);
      assert.match(await succeed('contact-center', 'list', ...target.flags), /north/);
    }
  });
});

describe('a backup that is not as it was written', () => {
  /** It must be refused, and what is there left as it is. */
  async function refused(
    what: string,
    path: string,
    reason = /cut off, altered or no backup/,
  ): Promise<void> {
    const target = await makePlace('SQLite');
    await rejectsWith(reason, restore(path, target), what);
    assert.deepEqual(await target.rows(), {}, what);
  }

  it('is told by the command in one line', async () => {
    const path = nextPath();
    await writeFile(path, (await readFile(portable)).subarray(0, 5000));
    const target = await makePlace('SQLite');
    await failsWith(/cut off, altered or no backup/, 'restore', path, ...target.flags);
    await failsWith(/cut off, altered or no backup/, 'restore', path, '--dry-run', ...target.flags);
  });

  it('is refused where it was cut off', async () => {
    for (const whole of [inOwnForm, portable]) {
      const bytes = await readFile(whole);
      for (const length of [
        0,
        10,
        5000,
        Math.floor(bytes.length / 2),
        bytes.length - 200,
        bytes.length - 1,
      ]) {
        const path = nextPath();
        await writeFile(path, bytes.subarray(0, length));
        await refused(`${length} of ${bytes.length} bytes`, path);
      }
    }
  });

  it('is refused where any byte was altered', async () => {
    for (const whole of [inOwnForm, portable]) {
      const bytes = await readFile(whole);
      for (let at = 1; at < 6; at += 1) {
        const altered = Buffer.from(bytes);
        const place = Math.floor((at * bytes.length) / 6);
        altered[place] = (altered[place] ?? 0) ^ 0x10;
        const path = nextPath();
        await writeFile(path, altered);
        await refused(`byte ${place}`, path);
      }
      const path = nextPath();
      await writeFile(path, Buffer.concat([bytes, Buffer.from('more')]));
      await refused('longer', path);
    }
  });

  it('is refused where its lines were changed and packed again', async () => {
    const text = gunzipSync(await readFile(portable)).toString('utf8');
    const lines = text.split('\n');
    const userAt = lines.findIndex((line) => line.includes('person7@faults.example'));
    const changes: Readonly<Record<string, string>> = {
      'a text': text.replace('person7@faults.example', 'person8@faults.example'),
      'a line less': lines.toSpliced(userAt, 1).join('\n'),
      'a line more': lines.toSpliced(userAt, 0, lines[userAt] ?? '').join('\n'),
      'no last line': lines.slice(0, -2).join('\n'),
      'another column': text.replace('"columns":["', '"columns":["x from users; drop table users; --",'),
      'no line at all': '',
      'another document': '{"rollcall":"something"}\n',
    };
    for (const [what, changed] of Object.entries(changes)) {
      assert.notEqual(changed, text, what);
      const path = nextPath();
      await writeFile(path, gzipSync(changed));
      await refused(what, path, /cut off, altered or no backup|has other tables/);
    }
  });

  it('is refused where it is of a newer version, or no backup at all', async () => {
    const text = gunzipSync(await readFile(portable)).toString('utf8');
    const newer = nextPath();
    await writeFile(newer, gzipSync(text.replace('"migrations":["', '"migrations":["0000-later","')));
    await refused('newer', newer, /newer Rollcall/);
    const other = nextPath();
    await writeFile(other, 'something');
    await refused('a text', other);
    // A store's own file has no seal: whether it is whole cannot be told.
    const plain = nextPath();
    await copyFile(join(source.place.data, 'rollcall.sqlite'), plain);
    await refused('a file of a store', plain);
    await refused('nothing', join(folder.path, 'not-there'), /there is no /);
    await refused('a folder', folder.path, /cannot use|cut off/);
  });
});

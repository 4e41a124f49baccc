import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { MIGRATIONS } from '../../src/store/migrations/index.ts';
import { storePath } from '../../src/store/open.ts';
import { rollcall } from '../acceptance/server-process.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { dumpDatabase, dumpFile, type StoreDump } from '../store-dump.ts';
import { failsWith, makeFolder, succeed } from './commands.ts';

const SCRIPT = join(import.meta.dirname, 'migrating.ts');

/** A place for a store: the flags that name it, what `migrating.ts` calls it, and what lies there. */
interface Place {
  readonly flags: readonly string[];
  readonly named: readonly [data: string, url: string];
  dump(): Promise<StoreDump>;
  execute(sql: string): Promise<void>;
}

/** Starts `migrating.ts`, which gives up or waits before a statement. */
function migrateTo(place: Place, last: number, statement = 9999, how = 'kill') {
  const child = spawn(process.execPath, [SCRIPT, ...place.named, `${last}`, `${statement}`, how], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {});
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.resume();
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, signal: child.signalCode, out }));
  return { child, ended, waits: once(child.stdout, 'data') };
}

/** All that must be as it was but when it was done. */
function timeless({ schema, rows }: StoreDump): unknown {
  const text = JSON.stringify(rows.migrations) ?? '';
  return { schema, migrations: text.replaceAll(/applied_at\W+\d+/g, '') };
}

const FIRST = `insert into contact_centers (contact_center_id, name, timezone, settings, revision, next_number, created_at)
  values (7, 'north', 'UTC', '{}', 1, 1, 1)`;

function describeMigrating(title: string, skip: string | false, makePlace: () => Promise<Place>): void {
  describe(`migrations on ${title}`, { skip }, () => {
    let whole: unknown;
    before(async () => {
      const place = await makePlace();
      await succeed('db', 'migrate', ...place.flags);
      whole = timeless(await place.dump());
    });

    it('run all, then again, and leave the same schema', async () => {
      const place = await makePlace();
      const first = JSON.parse(await succeed('db', 'migrate', '--json', ...place.flags));
      assert.deepEqual(
        first.migrated,
        MIGRATIONS.map(({ name }) => name),
      );
      const dumped = await place.dump();
      const second = JSON.parse(await succeed('db', 'migrate', '--json', ...place.flags));
      assert.deepEqual(second.migrated, []);
      assert.deepEqual(await place.dump(), dumped);
    });

    it('come to the same schema step by step', async () => {
      const place = await makePlace();
      for (const [at, { name }] of MIGRATIONS.entries()) {
        assert.equal((await migrateTo(place, at + 1).ended).code, 0, name);
      }
      await succeed('db', 'migrate', ...place.flags);
      assert.deepEqual(timeless(await place.dump()), whole);
    });

    it('are run once where several processes start at once', async () => {
      const place = await makePlace();
      const ended = await Promise.all(
        [1, 2, 3].map(() => rollcall('db', 'migrate', '--json', ...place.flags)),
      );
      const migrated = ended.flatMap(({ code, stdout, stderr }) => {
        assert.equal(code, 0, stderr);
        return JSON.parse(stdout).migrated;
      });
      assert.deepEqual(
        migrated,
        MIGRATIONS.map(({ name }) => name),
      );
      assert.deepEqual(timeless(await place.dump()), whole);
    });

    it('that are killed leave the schema as it was, from nothing and from an earlier version', async (test) => {
      for (const from of [0, 1]) {
        const counted = await makePlace();
        assert.equal((await migrateTo(counted, from).ended).code, 0);
        const all = Number((await migrateTo(counted, MIGRATIONS.length).ended).out.replace('ran ', ''));
        assert.ok(all > 10);
        const place = await makePlace();
        assert.equal((await migrateTo(place, from).ended).code, 0);
        if (from > 0) await place.execute(FIRST);
        const before = await place.dump();
        const stops = [...new Set([0, 1, 2, Math.floor(all / 2), all - 2, all - 1])];
        for (const stop of stops) {
          const { signal } = await migrateTo(place, MIGRATIONS.length, stop).ended;
          assert.equal(signal, 'SIGKILL');
          assert.deepEqual(await place.dump(), before, `killed before statement ${stop} of ${all}`);
        }
        test.diagnostic(`from version ${from}: killed before statements ${stops.join(', ')} of ${all}`);
        await succeed('db', 'migrate', ...place.flags);
        assert.deepEqual(timeless(await place.dump()), whole);
        const list = JSON.parse(await succeed('contact-center', 'list', '--json', ...place.flags));
        assert.equal(list.length, from);
      }
    });

    it('are told by db status and a dry run, which change nothing', async () => {
      const place = await makePlace();
      assert.equal((await migrateTo(place, 1).ended).code, 0);
      const before = await place.dump();
      const status = JSON.parse(await succeed('db', 'status', '--json', ...place.flags));
      assert.deepEqual(status.applied, [{ name: '0001-directory', appliedAt: '1970-01-01T00:00:00.001Z' }]);
      const pending = MIGRATIONS.slice(1).map(({ name }) => name);
      assert.deepEqual([status.pending, status.version], [pending, '0001-directory']);
      const dry = JSON.parse(await succeed('db', 'migrate', '--dry-run', '--json', ...place.flags));
      assert.deepEqual(
        dry.pending.map(({ name }: { name: string }) => name),
        pending,
      );
      assert.match(dry.pending[0].statements.join(';'), /create table recordings /);
      assert.deepEqual(await place.dump(), before);
      assert.match(await succeed('db', 'status', ...place.flags), /^0002-recordings +pending$/m);
    });

    it('of a newer program are refused in one line', async () => {
      const place = await makePlace();
      await succeed('db', 'migrate', ...place.flags);
      await place.execute("insert into migrations (number, name, applied_at) values (9999, 'later', 1)");
      const before = await place.dump();
      await failsWith(/newer Rollcall/, 'db', 'migrate', ...place.flags);
      await failsWith(/newer Rollcall/, 'db', 'migrate', '--dry-run', ...place.flags);
      const { code, stdout } = await rollcall('db', 'status', ...place.flags);
      assert.equal(code, 1);
      assert.match(stdout, /newer Rollcall/);
      assert.deepEqual(await place.dump(), before);
    });
  });
}

let folder: Awaited<ReturnType<typeof makeFolder>>;
let server: PostgresServer;
let made = 0;
before(async () => {
  folder = await makeFolder('migrations');
});
after(() => folder.drop());

describeMigrating('SQLite', false, async () => {
  made += 1;
  const data = join(folder.path, String(made));
  await mkdir(data);
  return {
    flags: ['--data', data],
    named: [data, '-'],
    dump: async () => dumpFile(storePath(data)),
    async execute(sql) {
      const db = new Database(storePath(data));
      db.exec(sql);
      db.close();
    },
  };
});

describe('with a PostgreSQL server', { skip: noPostgres }, () => {
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server?.stop());

  async function makePlace(): Promise<Place> {
    const url = await server.makePlace();
    return {
      flags: ['--database-url', url],
      named: ['-', url],
      dump: () => dumpDatabase(server, url),
      execute: async (sql) => void (await server.query(sql, url)),
    };
  }

  describeMigrating('PostgreSQL', false, makePlace);

  it('a migration whose connection is cut is run again, from a schema as it was', async () => {
    const [place, whole] = [await makePlace(), await makePlace()];
    const { child, ended, waits } = migrateTo(place, MIGRATIONS.length, 9, 'wait');
    await waits;
    const cut = await server.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction'",
    );
    assert.equal(cut.length, 1);
    child.stdin.write('go on\n');
    assert.equal((await ended).code, 0);
    for (const { flags } of [place, whole]) await succeed('db', 'migrate', ...flags);
    assert.deepEqual((await place.dump()).schema, (await whole.dump()).schema);
  });
});

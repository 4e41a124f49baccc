import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { databasePlace, filePlace, type Place } from '../moving/places.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { failsWith, killAfter, makeFolder, people, succeed } from './commands.ts';
import { mountDisk, whyNoMount } from './small-disk.ts';

const PEOPLE = 3000;
/** How many times each command is killed; more are asked for by ROLLCALL_KILLS. */
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 4);

let folder: Awaited<ReturnType<typeof makeFolder>>;
let server: PostgresServer;
let source: Place;
let wanted: Record<string, string[]>;
/** Backups of the source by their form. */
const backups = new Map<string, string>();
let made = 0;

const makePlace = async (engine: Place['engine']): Promise<Place> => {
  made += 1;
  return engine === 'SQLite' ? filePlace(folder.path, `place-${made}`) : databasePlace(server);
};

before(async () => {
  folder = await makeFolder('killed-restore');
  if (noPostgres === false) server = await PostgresServer.start();
  source = await makePlace('SQLite');
  await succeed('contact-center', 'create', 'north', ...source.flags);
  const file = join(folder.path, 'people.jsonl');
  await writeFile(file, people(1, PEOPLE));
  await succeed('import', file, '--contact-center', 'north', ...source.flags);
  wanted = await source.rows();
  for (const form of ['sqlite', 'portable']) {
    const path = join(folder.path, form);
    backups.set(form, path);
    await succeed('backup', path, ...(form === 'portable' ? ['--portable'] : []), ...source.flags);
  }
});
after(async () => {
  await server?.stop();
  await folder.drop();
});

async function timeOf(args: readonly string[]): Promise<number> {
  const start = performance.now();
  await succeed(...args);
  return performance.now() - start;
}

const somewhere = (whole: number) => whole * (0.45 + Math.random() * 0.5);

describe('a restore that is killed', () => {
  for (const [form, engine] of [
    ['sqlite', 'SQLite'],
    ['portable', 'SQLite'],
    ['portable', 'PostgreSQL'],
  ] as const) {
    const skip = engine === 'SQLite' ? false : noPostgres;
    it(`leaves ${engine} empty, as it was, or whole (${form})`, { skip }, async (test) => {
      const restore = (place: Place) => ['restore', backups.get(form) ?? '', '--force', ...place.flags];
      const whole = await timeOf(restore(await makePlace(engine)));
      const seen: string[] = [];
      for (const isThere of [false, true]) {
        let place = await makePlace(engine);
        const begin = async () => {
          if (isThere) await succeed('contact-center', 'create', 'south', ...place.flags);
          return place.rows();
        };
        let before = await begin();
        for (let at = 0; at < KILLS; at += 1) {
          const wasKilled = await killAfter(somewhere(whole), restore(place));
          const now = await place.rows();
          const isWhole = (now.users?.length ?? 0) > 0;
          assert.deepEqual(now, isWhole ? wanted : before);
          seen.push(wasKilled ? (isWhole ? 'whole' : isThere ? 'as it was' : 'empty') : 'too late');
          if (!isWhole) continue;
          place = await makePlace(engine);
          before = await begin();
        }
        await succeed(...restore(place));
        assert.deepEqual(await place.rows(), wanted);
        if (engine === 'SQLite') {
          const left = await readdir(place.place.data);
          assert.ok(!left.includes('restoring'), 'what killed ones left is gone');
        }
      }
      test.diagnostic(seen.join(', '));
    });
  }
});

describe('a backup that is killed', () => {
  for (const flags of [[], ['--portable']]) {
    it(`is not there, or whole (${flags.join() || 'sqlite'})`, async (test) => {
      const first = join(folder.path, `first${flags.join()}`);
      const whole = await timeOf(['backup', first, ...flags, ...source.flags]);
      const path = join(folder.path, `killed${flags.join()}`);
      const seen: string[] = [];
      for (let at = 0; at < KILLS; at += 1) {
        await killAfter(somewhere(whole), ['backup', path, ...flags, ...source.flags]);
        const isThere = existsSync(path);
        seen.push(isThere ? 'whole' : existsSync(`${path}.partial`) ? 'partial' : 'nothing');
        if (!isThere) continue;
        await succeed('restore', path, '--dry-run', '--data', join(folder.path, 'nowhere'));
        await rm(path);
      }
      await succeed('backup', path, ...flags, ...source.flags);
      assert.ok(!existsSync(`${path}.partial`), 'what killed ones left is gone');
      test.diagnostic(seen.join(', '));
    });
  }
});

describe('a full disk', { skip: whyNoMount(tmpdir()) }, () => {
  it('is told by backup and restore in one line, and nothing is left half', async () => {
    const disk = mountDisk(join(folder.path, 'disk'), 1);
    try {
      for (const flags of [[], ['--portable']]) {
        disk.fill();
        await failsWith(/disk is full/, 'backup', join(disk.path, 'file'), ...flags, ...source.flags);
        disk.free();
        assert.deepEqual(await readdir(disk.path), []);
      }
      const place = filePlace(disk.path, 'data');
      for (const path of backups.values()) {
        await failsWith(/disk is full/, 'restore', path, ...place.flags);
        assert.deepEqual(await readdir(place.place.data), []);
      }
      disk.resize(64);
      await succeed('restore', backups.get('sqlite') ?? '', ...place.flags);
      assert.deepEqual(await place.rows(), wanted);
    } finally {
      disk.drop();
    }
  });
});

describe('a database that goes away in the middle of a restore', { skip: noPostgres }, () => {
  it('is told in one line, and is as it was', async () => {
    const place = await makePlace('PostgreSQL');
    await succeed('contact-center', 'create', 'south', ...place.flags);
    const before = await place.rows();
    const stop = new AbortController();
    const cutting = (async () => {
      while (!stop.signal.aborted) {
        await server.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'rollcall' and query like 'copy %'",
        );
        await sleep(5);
      }
    })();
    try {
      const restore = ['restore', backups.get('portable') ?? '', '--force', ...place.flags];
      await failsWith(/cannot reach PostgreSQL/, ...restore);
    } finally {
      stop.abort();
      await cutting;
    }
    assert.deepEqual(await place.rows(), before);
  });
});

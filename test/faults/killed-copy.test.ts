import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { type CopyReport, copyStore } from '../../src/store/moving/copy.ts';
import { rollcall } from '../acceptance/server-process.ts';
import { databasePlace, filePlace, type Place } from '../moving/places.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { assertOneLine, failsWith, killAfter, makeFolder, people, succeed } from './commands.ts';
import { mountDisk, whyNoMount } from './small-disk.ts';

/** More rows than go into one transaction, so that a kill may come between two of them. */
const PEOPLE = 3000;
/** How many times a copy is killed, for each engine; more are asked for by ROLLCALL_KILLS. */
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 4);

describe('a copy that is broken off', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let server: PostgresServer;
  let source: Place;
  let wanted: Record<string, string[]>;
  let made = 0;
  before(async () => {
    folder = await makeFolder('killed-copy');
    if (noPostgres === false) server = await PostgresServer.start();
    source = filePlace(folder.path, 'source');
    await succeed('contact-center', 'create', 'north', ...source.flags);
    const file = join(folder.path, 'people.jsonl');
    await writeFile(file, people(1, PEOPLE));
    await succeed('import', file, '--contact-center', 'north', ...source.flags);
    wanted = await source.rows();
  });
  after(async () => {
    await server?.stop();
    await folder.drop();
  });

  const makeTarget = async (engine: Place['engine']): Promise<Place> => {
    made += 1;
    return engine === 'SQLite' ? filePlace(folder.path, `target-${made}`) : databasePlace(server);
  };
  const copyTo = (target: Place, ...flags: string[]) => [
    ...['db', 'copy', '--from', source.name, '--to', target.name],
    ...flags,
  ];

  /** Rows that a broken off copy has left in tables with people. */
  const countUsers = async (target: Place): Promise<number | null> => {
    const { moving_progress: progress, users = [] } = await target.rows();
    return progress === undefined ? null : users.length;
  };

  /** Copies until so many rows are written, and no further. */
  const copyUntil = (target: Place, rows: number, act: () => void): Promise<CopyReport> =>
    copyStore(source.place, target.place, Date.now, (done) => {
      if (done >= rows) act();
    });
  const breakOff = (target: Place, rows = 20_000) =>
    assert.rejects(
      copyUntil(target, rows, () => {
        throw new Error('broken off');
      }),
      /broken off/,
    );
  const goOn = (target: Place) => copyStore(source.place, target.place, Date.now, () => {});

  for (const engine of ['SQLite', 'PostgreSQL'] as const) {
    const skip = engine === 'SQLite' ? false : noPostgres;

    it(`by kill -9 leaves ${engine} empty or refused, and goes on to the end`, { skip }, async (test) => {
      let target = await makeTarget(engine);
      const started = performance.now();
      await succeed(...copyTo(target));
      const whole = performance.now() - started;
      target = await makeTarget(engine);
      const seen: string[] = [];
      for (let at = 0; at < KILLS; at += 1) {
        const wasKilled = await killAfter(whole * (0.45 + Math.random() * 0.5), copyTo(target));
        const there = await countUsers(target);
        seen.push(wasKilled ? `${there ?? 'nothing or all'}` : 'too late');
        if (there !== null) {
          const ended = await rollcall('contact-center', 'list', ...target.flags);
          assertOneLine(ended, /unfinished copy; finish it with the rollcall db copy/, 'list');
          const status = await rollcall('db', 'status', ...target.flags);
          assert.equal(status.code, 1);
          assert.match(status.stdout, /unfinished copy/);
        } else if (((await target.rows()).users ?? []).length > 0) {
          assert.deepEqual(await target.rows(), wanted);
          target = await makeTarget(engine);
        }
      }
      test.diagnostic(`users there after each kill: ${seen.join(', ')}`);
      await succeed(...copyTo(target));
      assert.deepEqual(await target.rows(), wanted);
    });

    it(`goes on where it stopped on ${engine}`, { skip }, async () => {
      const target = await makeTarget(engine);
      await breakOff(target);
      const dry = JSON.parse(await succeed(...copyTo(target, '--dry-run', '--json')));
      assert.equal(dry.target, 'unfinished');
      const { kept, begunAnew } = await goOn(target);
      assert.ok(kept >= 20_000, `${kept} rows were kept`);
      assert.equal(begunAnew, false);
      assert.deepEqual(await target.rows(), wanted);
    });

    it(`begins anew on ${engine} where the source has changed, unless behind what was copied`, {
      skip,
    }, async () => {
      try {
        for (const [sql, anew] of [
          ["update users set first_name = 'other' where number = 7", true],
          [
            "insert into audit_events (contact_center_id, number, at, actor_kind, action, outcome, details) values (1, 77, 1, 'cli', 'x', 'done', '{}')",
            false,
          ],
        ] as const) {
          const target = await makeTarget(engine);
          await breakOff(target);
          await source.execute(sql);
          assert.equal((await goOn(target)).begunAnew, anew);
          assert.deepEqual(await target.rows(), await source.rows());
        }
      } finally {
        await source.execute(
          "update users set first_name = 'First7' where number = 7; delete from audit_events where number = 77",
        );
      }
      assert.deepEqual(await source.rows(), wanted);
    });

    it(`finds what another wrote into ${engine} meanwhile`, { skip }, async () => {
      const target = await makeTarget(engine);
      await breakOff(target);
      await target.execute('delete from user_extensions where user_number = 5');
      await failsWith(/user_extensions of the target is not what was written/, ...copyTo(target));
      await failsWith(/unfinished copy/, 'contact-center', 'list', ...target.flags);
      assert.equal((await goOn(target)).kept, 0);
      assert.deepEqual(await target.rows(), wanted);
    });

    it(`is gone on with on ${engine} from its own source alone`, { skip }, async () => {
      const [target, other] = [await makeTarget(engine), await makeTarget('SQLite')];
      await breakOff(target);
      await succeed('contact-center', 'create', 'north', ...other.flags);
      await failsWith(
        /unfinished copy of another store/,
        'db',
        'copy',
        '--from',
        other.name,
        '--to',
        target.name,
      );
      await failsWith(
        /unfinished copy/,
        'db',
        'copy',
        '--from',
        target.name,
        '--to',
        (await makeTarget('SQLite')).name,
      );
      await succeed(...copyTo(target));
    });

    it(`is made by one of two that start at once on ${engine}`, { skip }, async () => {
      const target = await makeTarget(engine);
      const ended = await Promise.all([rollcall(...copyTo(target)), rollcall(...copyTo(target))]);
      for (const each of ended) {
        if (each.code !== 0) {
          assertOneLine(
            each,
            /another process copies|not empty|not what was written|unfinished copy|busy/,
            'copy',
          );
        }
      }
      if (ended.every(({ code }) => code !== 0)) await succeed(...copyTo(target));
      assert.deepEqual(await target.rows(), wanted);
    });
  }

  it('by a lost connection fails in one line, and goes on', { skip: noPostgres }, async () => {
    const target = await makeTarget('PostgreSQL');
    let cut: Promise<unknown> | undefined;
    const copied = copyUntil(target, 20_000, () => {
      cut ??= server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'rollcall'",
      );
    });
    await assert.rejects(copied, (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.kind, 'unavailable');
      return true;
    });
    await cut;
    assert.ok((await goOn(target)).kept > 0);
    assert.deepEqual(await target.rows(), wanted);
    // The other way: it is the source that is lost.
    const back = await makeTarget('SQLite');
    cut = undefined;
    const copiedBack = copyStore(target.place, back.place, Date.now, (done) => {
      if (done < 10_000) return;
      cut ??= server.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and application_name = 'rollcall'",
      );
    });
    await assert.rejects(copiedBack, Failure);
    await cut;
    await copyStore(target.place, back.place, Date.now, () => {});
    assert.deepEqual(await back.rows(), wanted);
  });

  it('by a full disk says so in one line, and goes on', { skip: whyNoMount(tmpdir()) }, async () => {
    const disk = mountDisk(join(folder.path, 'disk'), 2);
    try {
      const target = filePlace(disk.path, 'data');
      await failsWith(/disk is full/, ...copyTo(target));
      disk.resize(100);
      await succeed(...copyTo(target));
      assert.deepEqual(await target.rows(), wanted);
    } finally {
      disk.drop();
    }
  });
});

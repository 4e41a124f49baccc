import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { TABLES } from '../../src/store/moving/tables.ts';
import { rollcall } from '../acceptance/server-process.ts';
import { assertOneLine, failsWith, makeFolder, people, succeed } from '../faults/commands.ts';
import { checkStore } from '../faults/store-check.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { addHardRows, databasePlace, filePlace, type Place } from './places.ts';

let folder: Awaited<ReturnType<typeof makeFolder>>;
let server: PostgresServer;
let made = 0;
before(async () => {
  folder = await makeFolder('copy');
  if (noPostgres === false) server = await PostgresServer.start();
});
after(async () => {
  await server?.stop();
  await folder.drop();
});

const makePlace = async (engine: Place['engine']): Promise<Place> => {
  made += 1;
  return engine === 'SQLite' ? filePlace(folder.path, `place-${made}`) : databasePlace(server);
};

/** A store with people, recordings, tokens, settings and texts that are hard to move. */
async function fill(place: Place, last = 300): Promise<void> {
  const file = join(folder.path, 'people.jsonl');
  await writeFile(file, people(1, last));
  await succeed('demo', '--users', '40', ...place.flags, '--media', join(folder.path, 'media'));
  await succeed('contact-center', 'create', 'north', ...place.flags);
  await succeed('import', file, '--contact-center', 'north', ...place.flags);
  await addHardRows(place);
}

const PAIRS = [
  ['SQLite', 'PostgreSQL'],
  ['PostgreSQL', 'SQLite'],
  ['SQLite', 'SQLite'],
  ['PostgreSQL', 'PostgreSQL'],
] as const;

describe('db copy', () => {
  for (const [from, to] of PAIRS) {
    const skip = from === to && from === 'SQLite' ? false : noPostgres;
    it(`copies every row from ${from} to ${to}, and can go on from there`, { skip }, async () => {
      const [source, target] = [await makePlace(from), await makePlace(to)];
      await fill(source);
      const wanted = await source.rows();
      const copy = ['db', 'copy', '--from', source.name, '--to', target.name];
      const dry = JSON.parse(await succeed(...copy, '--dry-run', '--json'));
      assert.deepEqual([dry.target, dry.tables.users], ['empty', wanted.users?.length]);
      assert.deepEqual(await target.rows(), {}, 'a dry run makes nothing');
      const told = JSON.parse(await succeed(...copy, '--json'));
      assert.deepEqual(await target.rows(), wanted);
      assert.deepEqual(await source.rows(), wanted);
      const counts = told.tables.map((each: { name: string; rows: number }) => [each.name, each.rows]);
      assert.deepEqual(
        Object.fromEntries(counts),
        Object.fromEntries(Object.entries(wanted).map(([name, rows]) => [name, rows.length])),
      );
      // It is a store like any other.
      assert.match(await succeed('db', 'status', ...target.flags), /up to date\n$/);
      await succeed('contact-center', 'create', 'west', ...target.flags);
      await failsWith(/the target is not empty/, ...copy);
      await failsWith(/the target is not empty/, ...copy, '--dry-run');
    });
  }

  it('gives the same checksums whichever engine a store is in', { skip: noPostgres }, async () => {
    const [first, second, third] = [
      await makePlace('SQLite'),
      await makePlace('PostgreSQL'),
      await makePlace('SQLite'),
    ];
    await fill(first, 50);
    const sums: unknown[][] = [];
    for (const [from, to] of [
      [first, second],
      [second, third],
    ] as const) {
      const copied = await succeed('db', 'copy', '--from', from.name, '--to', to.name, '--json');
      // Contact centers have another epoch in each store.
      const tables: { name: string }[] = JSON.parse(copied).tables;
      sums.push(tables.filter(({ name }) => name !== 'contact_centers'));
    }
    assert.ok((sums[0]?.length ?? 0) > 10);
    assert.deepEqual(sums[0], sums[1]);
  });

  it('knows every table there is', { skip: noPostgres }, async () => {
    for (const engine of ['SQLite', 'PostgreSQL'] as const) {
      const place = await makePlace(engine);
      await succeed('db', 'migrate', ...place.flags);
      // One that is new is added to those that are moved, or to what each store has of its own.
      assert.deepEqual(Object.keys(await place.rows()).toSorted(), TABLES.toSorted());
    }
  });

  it('takes the state at its start of a store that is being written', async () => {
    const [source, target] = [await makePlace('SQLite'), await makePlace('SQLite')];
    const [first, more] = [join(folder.path, 'first.jsonl'), join(folder.path, 'more.jsonl')];
    await Promise.all([writeFile(first, people(1, 10)), writeFile(more, people(11, 9000))]);
    await succeed('contact-center', 'create', 'north', ...source.flags);
    await succeed('import', first, '--contact-center', 'north', ...source.flags);
    const written = succeed('import', more, '--contact-center', 'north', ...source.flags);
    await succeed('db', 'copy', '--from', source.name, '--to', target.name);
    await written;
    assert.ok(checkStore(target.place.data).length >= 10);
  });

  it('finds the host that answers, of several', { skip: noPostgres }, async () => {
    const [source, target, back] = [
      await makePlace('SQLite'),
      await makePlace('PostgreSQL'),
      await makePlace('SQLite'),
    ];
    await succeed('contact-center', 'create', 'north', ...source.flags);
    const several = target.name.replace('@', '@127.0.0.1:1,');
    await succeed('db', 'copy', '--from', source.name, '--to', several);
    await succeed('db', 'copy', '--from', several, '--to', back.name);
    assert.deepEqual(await back.rows(), await source.rows());
  });

  it('refuses what it cannot copy, in one line and without a password', async () => {
    const [source, target] = [await makePlace('SQLite'), await makePlace('SQLite')];
    const copy = ['db', 'copy', '--from', source.name, '--to', target.name];
    await failsWith(/there is no store in /, ...copy);
    await succeed('contact-center', 'create', 'north', ...source.flags);
    const away = 'postgres://someone:hush@127.0.0.1:1/away';
    for (const args of [
      ['--from', source.name, '--to', away],
      ['--from', away, '--to', target.name],
    ]) {
      const ended = await rollcall('db', 'copy', ...args);
      assertOneLine(ended, /cannot reach PostgreSQL at 127\.0\.0\.1:1\/away/, 'db copy');
      assert.doesNotMatch(ended.stderr, /hush|someone/);
    }
    for (const wrong of ['./data', 'sqlite:', 'mysql://u:hush@h/d', 'database']) {
      const { code, stderr } = await rollcall('db', 'copy', '--from', source.name, '--to', wrong);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /^rollcall: [^\n]+\n$/);
      assert.doesNotMatch(stderr, /hush/);
    }
    await source.execute("insert into migrations (number, name, applied_at) values (9999, 'later', 1)");
    await failsWith(/newer Rollcall/, ...copy);
    await source.execute('delete from migrations where number > 1');
    await failsWith(/not up to date.*db migrate/, ...copy);
    assert.deepEqual(await target.rows(), {});
  });
});

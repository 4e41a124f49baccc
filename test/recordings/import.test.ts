import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openManifestFiles } from '../../src/cli/recordings/manifest-files.ts';
import type { SourceRow } from '../../src/directory/import.ts';
import { readSource } from '../../src/directory/source/rows.ts';
import type { JsonObject } from '../../src/directory/user.ts';
import { Failure } from '../../src/errors.ts';
import { importManifest, MANIFEST_ROWS, type ManifestOptions } from '../../src/recordings/import.ts';
import { createTakeIn, type TakeIn } from '../../src/recordings/take-in.ts';
import { eventOf } from '../contract/recordings-contract.ts';
import { NOW, useCenter, wav, wavReader } from './center.ts';

const STARTED = '2026-02-01 08:00:00';

describe('importing a manifest of recordings', () => {
  const center = useCenter();
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-manifest-'));
    await mkdir(join(folder, 'media/sub'), { recursive: true });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  let files = 0;
  /** Makes an audio file and gives its name in the manifest. */
  async function makeFile(bytes = wav(randomBytes(3200))): Promise<string> {
    files += 1;
    const name = `sub/call ${files}.wav`;
    await writeFile(join(folder, 'media', name), bytes);
    return name;
  }
  const rowOf = async (changes: JsonObject = {}): Promise<JsonObject> => ({
    file: await makeFile(),
    user: 'person1@example.com',
    startedAt: STARTED,
    ...changes,
  });

  const usualTakeIn = (): TakeIn =>
    createTakeIn({
      recordings: center.store.recordings,
      main: center.main,
      audio: wavReader,
      now: () => NOW,
      newId: center.newId,
      mostBytes: 1_000_000,
    });

  /** Imports a text, and gives counts and a line for each row. */
  async function load(text: string, changes: Partial<ManifestOptions> = {}) {
    const told: string[] = [];
    const chunks = (async function* () {
      yield Buffer.from(text);
    })();
    const source = await readSource(chunks, { columns: {}, shape: MANIFEST_ROWS });
    const counts = await importManifest(source.rows as AsyncIterable<SourceRow>, {
      contactCenter: center.contactCenter,
      takeIn: usualTakeIn(),
      recordings: center.store.recordings,
      users: center.store.pages,
      audio: wavReader,
      files: await openManifestFiles(join(folder, 'media')),
      now: () => NOW,
      dryRun: false,
      onVerdict: ({ row, outcome, number, reason }) => {
        told.push([row.line, outcome, ...(number === null ? [] : [number]), reason].join(' ').trim());
      },
      ...changes,
    });
    return { ...counts, told };
  }
  const jsonl = (rows: readonly JsonObject[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  const kept = async () => {
    const page = await center.store.recordings.page(center.contactCenter, { limit: 1000, count: 'none' });
    return page.recordings.filter(({ state }) => state === 'stored').length;
  };

  it('takes in each row once, however often it is run', async () => {
    const rows = await Promise.all(Array.from({ length: 100 }, (_, at) => rowOf({ leadId: at + 1 })));
    const first = await load(jsonl(rows));
    assert.deepEqual([first.made, first.unchanged, first.refused], [100, 0, 0]);
    assert.deepEqual(
      first.told.map((line) => line.split(' ').slice(0, 2).join(' ')),
      rows.map((_, at) => `${at + 1} made`),
    );
    const again = await load(jsonl([...rows.slice(50), await rowOf(), ...rows.slice(0, 50)]));
    assert.deepEqual([again.made, again.unchanged, again.refused], [1, 100, 0]);
    // What is known is known without its file.
    await rm(join(folder, 'media', String(rows[0]?.file)));
    assert.equal((await load(jsonl(rows))).unchanged, 100);
    assert.equal(await kept(), 101);
  });

  it('reads CSV by its header, in any spelling of the fields', async () => {
    const [one, two] = [await makeFile(), await makeFile()];
    const text = [
      'File,User,Started at,lead_id,Legal-Hold,_rejected',
      `"${one}",person2@example.com,2026-02-01T08:00:00Z,7,yes,because`,
      `${two},person2@example.com,2026-02-01 08:00:00,,,`,
    ].join('\r\n');
    const { told } = await load(text);
    assert.deepEqual(
      told.map((line) => line.split(' ')[1]),
      ['made', 'made'],
    );
    const { recordings } = await center.store.recordings.page(center.contactCenter, {
      userNumbers: [2],
      limit: 9,
      count: 'none',
    });
    // Times without a zone are in the contact center's.
    assert.deepEqual(
      recordings.map(({ startedAt, leadId, legalHold }) => [startedAt, leadId, legalHold]),
      [
        [Date.UTC(2026, 1, 1, 5), null, false],
        [Date.UTC(2026, 1, 1, 8), 7, true],
      ],
    );
    await assert.rejects(load('file,user,when\n'), Failure);
  });

  it('refuses bad rows by their line, and goes on', async () => {
    const file = await makeFile();
    const rows: [JsonObject, RegExp][] = [
      [await rowOf({ file: 'sub/none.wav' }), /file: is not there/],
      [await rowOf({ file: 'sub/none.wav/x' }), /file: is not there/],
      [await rowOf({ file: 'sub' }), /file: is no regular file/],
      [await rowOf({ file: await makeFile(Buffer.from('no audio')) }), /known/],
      [await rowOf({ file: await makeFile(Buffer.alloc(0)) }), /known/],
      [await rowOf({ file: await makeFile(wav(Buffer.alloc(1_000_000))) }), /longer/],
      [await rowOf({ user: 'nobody@example.com' }), /user: is nobody/],
      [await rowOf({ startedAt: 'soon' }), /startedAt: must be a time/],
      [await rowOf({ bytes: 3 }), /audio: is longer/],
      [await rowOf({ sha256: 'a'.repeat(64) }), /audio: is not what/],
      [await rowOf({ what: 1 }), /fields: unknown at place 4 of 4;/],
      [{ user: 'person1@example.com', startedAt: STARTED }, /file: must name/],
      [{ file: 5, user: 'person1@example.com', startedAt: STARTED }, /file: must name/],
    ];
    const before = await center.files();
    const good = await rowOf({ file });
    const { told, made, refused } = await load(`${jsonl(rows.map(([row]) => row))}{bad\n${jsonl([good])}`);
    assert.deepEqual([made, refused], [1, rows.length + 1]);
    for (const [at, [, reason]] of rows.entries()) {
      assert.match(told[at] ?? '', new RegExp(`^${at + 1} refused`));
      assert.match(told[at] ?? '', reason);
    }
    assert.match(told.at(-2) ?? '', /is not valid JSON/);
    assert.equal((await center.files()).size, before.size + 1);
  });

  it('never leaves the folder of the files', async () => {
    await writeFile(join(folder, 'outside.wav'), wav(randomBytes(100)));
    await mkdir(join(folder, 'media-too'));
    await writeFile(join(folder, 'media-too/a.wav'), wav(randomBytes(100)));
    await symlink(join(folder, 'outside.wav'), join(folder, 'media/out.wav'));
    await symlink(folder, join(folder, 'media/up'));
    await symlink('sub', join(folder, 'media/in'));
    execFileSync('mkfifo', [join(folder, 'media/pipe')]);
    const inner = (await makeFile()).replace('sub/', 'in/../in/');
    const names = [
      '../outside.wav',
      'sub/../../outside.wav',
      '../media-too/a.wav',
      join(folder, 'outside.wav'),
      '/etc/passwd',
      'out.wav',
      'up/outside.wav',
      'pipe',
      '.',
      '..',
      '/',
      'a\0',
      '..\\outside.wav',
    ];
    const rows = await Promise.all([...names, inner].map((file) => rowOf({ file })));
    const { told, made } = await load(jsonl(rows));
    assert.equal(made, 1, told.join('\n'));
    for (const line of told.slice(0, -1)) assert.match(line, /refused file: /);
    assert.match(told.at(-1) ?? '', /made/);
  });

  it('tells in a dry run what would become of each row, and keeps nothing', async () => {
    const known = await rowOf();
    const row = await rowOf();
    await load(jsonl([known]));
    const bad = [
      await rowOf({ file: await makeFile(Buffer.from('no audio')) }),
      await rowOf({ bytes: 5 }),
      await rowOf({ sha256: 'a'.repeat(64) }),
      { ...known, leadId: 5 },
      { ...row, leadId: 5 },
    ];
    const text = jsonl([known, row, row, ...bad]);
    const [before, files] = [await kept(), (await center.files()).size];
    const takeIn = () => assert.fail('a dry run takes nothing in');
    const dry = await load(text, { dryRun: true, takeIn });
    assert.deepEqual([dry.made, dry.unchanged, dry.refused], [1, 2, 5]);
    assert.deepEqual([await kept(), (await center.files()).size], [before, files]);
    const real = await load(text);
    assert.deepEqual([real.made, real.unchanged, real.refused], [1, 2, 5]);
    for (const { told } of [dry, real]) {
      for (const line of told.slice(-2)) assert.match(line, /refused file: .* says otherwise$/);
    }
  });

  it('tells of a row whose recording was let go, and brings it not back', async () => {
    const row = await rowOf();
    const { told } = await load(jsonl([row]));
    const number = Number(told[0]?.split(' ').at(-1));
    await center.store.recordings.purge(center.contactCenter, number, eventOf('recording.purged', number));
    for (const changes of [{}, { dryRun: true }]) {
      const { told: again, ...counts } = await load(jsonl([row, { ...row, leadId: 5 }]), changes);
      assert.deepEqual(counts, { made: 0, unchanged: 1, refused: 1 });
      assert.equal(again[0], `1 let go ${number}`);
      assert.match(again[1] ?? '', /^2 refused file: stands in another row/);
    }
  });

  it('takes a row in once that stands there twice, or is imported twice at a time', async () => {
    const rows = await Promise.all(Array.from({ length: 20 }, () => rowOf()));
    const text = jsonl(rows.flatMap((row) => [row, { ...row, file: `./${row.file}` }]));
    const before = await kept();
    const all = await Promise.all([load(text), load(text), load(text)]);
    assert.equal(
      all.reduce((sum, { made }) => sum + made, 0),
      20,
    );
    assert.deepEqual(
      all.map(({ refused }) => refused),
      [0, 0, 0],
    );
    assert.equal(await kept(), before + 20);
  });

  it('stops where the place fails, and takes up there when it is run again', async () => {
    const rows = await Promise.all(Array.from({ length: 80 }, () => rowOf()));
    let taken = 0;
    const told: string[] = [];
    const full = new Failure('unavailable', 'the disk is full', { retryAfter: 30 });
    const takeIn = usualTakeIn();
    const before = await kept();
    const failing = load(jsonl(rows), {
      takeIn: async (...args) => {
        taken += 1;
        if (taken > 50) throw full;
        return takeIn(...args);
      },
      onVerdict: ({ outcome }) => {
        told.push(outcome);
      },
    });
    await assert.rejects(failing, full);
    assert.deepEqual(
      told,
      Array.from({ length: 50 }, () => 'made'),
    );
    assert.equal(await kept(), before + 50);
    const { made, unchanged } = await load(jsonl(rows));
    assert.deepEqual([made, unchanged], [30, 50]);
  });
});

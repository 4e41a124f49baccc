import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT, rollcall } from '../acceptance/server-process.ts';
import { failsWith, makeFolder, succeed } from '../faults/commands.ts';

const AUDIO = join(ROOT, 'test/samples/pcm.wav');
const PERSON = 'ann@cli.example';
const DAY = 86_400_000;

describe('letting recordings go on the command line', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let data: string;
  let north: string[];
  let media: string[];
  before(async () => {
    folder = await makeFolder('letting-cli');
    data = join(folder.path, 'data');
    north = ['--contact-center', 'north', '--data', data];
    media = ['--data', data, '--archive-media', join(folder.path, 'archive')];
    for (const name of ['north', 'south']) {
      await succeed('contact-center', 'create', name, '--timezone', 'Europe/Istanbul', '--data', data);
    }
    const people = join(folder.path, 'people.jsonl');
    await writeFile(people, `{"email":"${PERSON}"}\n`);
    await succeed('import', people, ...north);
    const rows = [100, 95, 50, 40, 5].map((days) =>
      JSON.stringify({
        file: AUDIO.slice(ROOT.length + 1),
        user: PERSON,
        startedAt: daysAgo(days),
        callId: days,
        ...(days === 5 ? { leadId: Number.MAX_SAFE_INTEGER } : {}),
      }),
    );
    const manifest = join(folder.path, 'manifest.jsonl');
    await writeFile(manifest, `${rows.join('\n')}\n`);
    await succeed('recordings', 'import', manifest, '--media', ROOT, ...north);
  });
  after(() => folder.drop());

  const daysAgo = (days: number) => new Date(Date.now() - days * DAY).toISOString();
  const run = (...args: string[]) => succeed('recordings', ...args);
  const json = async (...args: string[]) => JSON.parse(await run(...args, '--json'));
  const states = async (state: string) => {
    const { recordings } = await json('list', '--state', state, ...north);
    return recordings.map(({ number }: { number: number }) => number).sort();
  };
  const filesIn = async (place: string) => {
    const entries = await readdir(join(folder.path, place), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  };

  it('lists them', async () => {
    const text = await run('list', ...north);
    assert.match(text, /^NUMBER +STARTED +SECONDS +USER +LEAD +STATE +BYTES +KEPT UNTIL\n/);
    assert.match(text, /5 of 5\n$/);
    const { total, recordings } = await json(
      'list',
      '--user',
      PERSON,
      '--limit',
      '2',
      '--offset',
      '1',
      ...north,
    );
    assert.deepEqual([total, recordings.length, recordings[0].number], [5, 2, 2]);
    assert.deepEqual(Object.keys(recordings[0]).includes('mediaId'), false);
    await failsWith(/no user with this email/, 'recordings', 'list', '--user', 'bob', ...north);
    const most = String(Number.MAX_SAFE_INTEGER);
    assert.deepEqual(
      (await json('list', '--lead', most, ...north)).recordings.map(
        ({ number }: { number: number }) => number,
      ),
      [5],
    );
    const { code, stderr } = await rollcall('recordings', 'list', '--lead', `${most}0`, ...north);
    assert.equal(code, 2);
    assert.match(stderr, /--lead takes a whole number from 1 to 9007199254740991/);
  });

  it('holds, keeps and revokes, and tells the audit what was before', async () => {
    assert.equal(await run('hold', '1', '--on', ...north), 'recording 1 is under legal hold\n');
    assert.match(await run('keep', '2', '--days', '500', ...north), /^recording 2 is kept until 20\d\d-/);
    const kept = await json('keep', '5', '--until', '2026-01-01 03:00:00', ...north);
    assert.equal(kept.keepUntil, '2026-01-01T00:00:00.000Z');
    assert.equal((await json('keep', '5', '--default', ...north)).keepUntil, null);
    assert.equal((await json('revoke', '3', ...north)).revocations, 1);
    const usage: [string[], RegExp][] = [
      [['hold', '1', ...north], /give --on or --off/],
      [['hold', '1', '--on', '--off', ...north], /give --on or --off/],
      [['keep', '1', ...north], /give one of/],
      [['keep', '1', '--default', '--days', '1', ...north], /give one of/],
      [['keep', '1', '--until', 'noon', ...north], /--until takes a time/],
      [['keep', '1', '--days', '36501', ...north], /--days takes/],
      [['keep', 'x', '--default', ...north], /NUMBER takes/],
      [['revoke', '1', '--data', data], /--contact-center.* \(see rollcall recordings revoke --help\)/],
    ];
    for (const [args, reason] of usage) {
      const { code, stdout, stderr } = await rollcall('recordings', ...args);
      assert.deepEqual([code, stdout], [2, ''], args.join(' '));
      assert.match(stderr, reason);
    }
    await failsWith(/no recording 99/, 'recordings', 'hold', '99', '--on', ...north);
    await succeed('contact-center', 'set', 'north', 'recordings.retentionDays', '91', '--data', data);

    const lines = (await succeed('audit', 'export', ...north)).trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map(({ number }) => number),
      events.map((_, at) => at + 1),
    );
    assert.deepEqual(
      events
        .slice(5)
        .map(({ action, subject, actor, outcome, details }) => [action, subject, actor, outcome, details]),
      [
        ['recording.changed', '1', 'cli', 'done', { field: 'legalHold', old: false, new: true }],
        [
          'recording.changed',
          '2',
          'cli',
          'done',
          { field: 'keepUntil', old: null, new: events[6].details.new },
        ],
        [
          'recording.changed',
          '5',
          'cli',
          'done',
          { field: 'keepUntil', old: null, new: '2026-01-01T00:00:00.000Z' },
        ],
        [
          'recording.changed',
          '5',
          'cli',
          'done',
          { field: 'keepUntil', old: '2026-01-01T00:00:00.000Z', new: null },
        ],
        ['recording.revoked', '3', 'cli', 'done', { revocations: 1 }],
        ['setting.changed', 'recordings.retentionDays', 'cli', 'done', { old: '90', new: '91' }],
      ],
    );
    assert.doesNotMatch(lines.join(''), /cli\.example/);
  });

  it('archives and restores', async () => {
    await succeed('contact-center', 'set', 'north', 'recordings.archiveAfterDays', '45', '--data', data);
    const plan = await json('archive', '--dry-run', ...media);
    assert.deepEqual(
      plan.contactCenters.map(({ contactCenter, recordings }: Record<string, unknown>) => [
        contactCenter,
        recordings,
      ]),
      [
        ['north', 3],
        ['south', 0],
      ],
    );
    await failsWith(/--archive-media/, 'recordings', 'archive', '--data', data);
    assert.match(await run('archive', ...media), /^north: 3 moved, \d+ bytes\nsouth: 0 moved, 0 bytes\n$/);
    assert.deepEqual(await states('archived'), [1, 2, 3]);
    assert.deepEqual([(await filesIn('data/media')).length, (await filesIn('archive')).length], [2, 3]);
    assert.equal(await run('restore', '3', '--contact-center', 'north', ...media), 'recording 3 is back\n');
    await failsWith(
      /is stored, not archived/,
      'recordings',
      'restore',
      '3',
      '--contact-center',
      'north',
      ...media,
    );
    assert.deepEqual(await states('archived'), [1, 2]);
  });

  it('purges what is due, after telling of it', async () => {
    assert.match(
      await run('keep', '4', '--days', '1', ...north),
      /^recording 4 was kept until .*: it is let go as soon as anything is/,
    );
    const [plan] = (await json('purge', '--dry-run', ...media)).contactCenters;
    assert.deepEqual([plan.ownEnd, plan.retention, plan.held], [1, 0, 1]);
    await run('hold', '1', '--off', ...north);
    const text = await run('purge', '--dry-run', ...media);
    assert.match(
      text,
      /^north: 2 would be purged \(1 by retention, 1 by their own end\), \d+ bytes; 0 under legal hold\n/,
    );
    assert.deepEqual(await states('purged'), []);
    const halfway = await rollcall('recordings', 'purge', ...north);
    assert.equal(halfway.code, 1);
    assert.match(halfway.stdout, /^north: 2 purged, \d+ bytes\n$/);
    assert.match(halfway.stderr, /audio of 1 is still to be removed: there is no archive tier/);
    const again = await rollcall('recordings', 'purge', ...north);
    assert.equal(again.code, 1, 'it is told until it is gone');
    assert.equal(
      await run('purge', '--contact-center', 'north', ...media),
      'north: 0 purged, 0 bytes; audio of 1 purged before is gone now\n',
    );
    assert.deepEqual(await states('purged'), [1, 4]);
    assert.deepEqual([(await filesIn('data/media')).length, (await filesIn('archive')).length], [2, 1]);
    await failsWith(/was let go/, 'recordings', 'hold', '1', '--on', ...north);
    const { recordings } = await json('list', '--state', 'purged', ...north);
    assert.deepEqual([recordings[0].userNumber, recordings[0].callId], [null, null]);
  });

  it('sweeps: tells what is wrong with exit code 1, and mends it', async () => {
    assert.equal(await run('sweep', '--checksums', ...media), 'all is well\n');
    const [lost] = await filesIn('archive');
    assert.ok(lost);
    await rm(lost);
    const found = await rollcall('recordings', 'sweep', ...media);
    assert.deepEqual([found.code, found.stdout], [1, '1 lost\n']);
    assert.match(found.stderr, /^north: recording 2: its audio is lost \(archive [0-9a-f-]{36}\)\n$/);
    const wrong = await rollcall('recordings', 'sweep', '--mend', '--most-lost', '0', '--json', ...media);
    assert.equal(wrong.code, 1);
    assert.match(JSON.parse(wrong.stdout).findings[0].reason, /media folder the right one/);
    const mended = await json('sweep', '--mend', ...media);
    assert.deepEqual([mended.ok, mended.counts], [true, { lost: { found: 1, mended: 1 } }]);
    assert.deepEqual(await states('purged'), [1, 2, 4]);
    assert.equal(await run('sweep', '--checksums', ...media), 'all is well\n');
  });

  it('finds audio of contact centers that are not known', async () => {
    const shelf = join(data, 'media/99/5f');
    const id = '01a20551-df8e-7717-9a15-ee7b909a215f';
    const leave = async (shelfOf: string) => {
      await mkdir(shelfOf, { recursive: true });
      await writeFile(join(shelfOf, id), 'x');
    };
    await leave(shelf);
    assert.equal(await run('sweep', ...media), 'all is well\n', 'it is young');
    assert.equal(await run('sweep', '--grace-minutes', '0', ...north, ...media), 'all is well\n');
    const old = ['--grace-minutes', '0', ...media];
    const found = await rollcall('recordings', 'sweep', ...old);
    assert.deepEqual([found.code, found.stdout], [1, '1 orphan\n']);
    assert.equal(
      found.stderr,
      `unknown contact center 99: audio that belongs to no recording (main ${id})\n`,
    );
    const { findings } = await json('sweep', '--mend', ...old);
    assert.deepEqual(
      [findings[0].contactCenter, findings[0].contactCenterId, findings[0].mended],
      [null, 99, true],
    );
    assert.equal(await run('sweep', ...old), 'all is well\n');

    // With the wrong folder, and with the wrong store.
    const elsewhere = join(folder.path, 'elsewhere');
    await leave(join(elsewhere, '99/5f'));
    await leave(shelf);
    const wrong = await rollcall('recordings', 'sweep', '--mend', ...old, '--media', elsewhere);
    assert.deepEqual([wrong.code, wrong.stdout], [1, '1 orphan, 0 mended\n2 lost, 0 mended\n']);
    const [astray, spared, ...more] = wrong.stderr.trimEnd().split('\n');
    assert.match(astray ?? '', /^north: the audio of 2 of 2 recordings is not there: are --media and/);
    assert.match(astray ?? '', /--mend --most-lost 2$/);
    assert.match(spared ?? '', /^unknown contact center 99: .*: nothing is removed while/);
    assert.deepEqual(more, []);
    const empty = ['--data', join(folder.path, 'empty'), '--media', join(data, 'media')];
    assert.equal((await rollcall('db', 'migrate', ...empty.slice(0, 2))).code, 0);
    const strange = await rollcall('recordings', 'sweep', '--mend', '--grace-minutes', '0', ...empty);
    assert.equal(strange.code, 1);
    assert.match(strange.stderr, /are --data and --media the right ones/);
    assert.equal((await filesIn('data/media')).length, 3);
    assert.deepEqual(await states('purged'), [1, 2, 4]);
  });
});

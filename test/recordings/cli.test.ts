import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ROOT, rollcall } from '../acceptance/server-process.ts';
import { makeFolder, succeed } from '../faults/commands.ts';

const SAMPLES = join(ROOT, 'test/samples');
const PERSON = 'ann@cli.example';

describe('recordings on the command line', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let data: string;
  let files: string;
  let common: string[];
  before(async () => {
    folder = await makeFolder('recordings-cli');
    data = join(folder.path, 'data');
    files = join(folder.path, 'files');
    common = ['--contact-center', 'north', '--data', data];
    await mkdir(files);
    for (const name of ['pcm.wav', 'opus.ogg', 'tone.flac', 'refused.webm']) {
      await copyFile(join(SAMPLES, name), join(files, name));
    }
    await succeed('contact-center', 'create', 'north', '--timezone', 'Europe/Istanbul', '--data', data);
    const people = join(folder.path, 'people.jsonl');
    await writeFile(people, `{"email":"${PERSON}"}\n{"loginId":"bob"}\n`);
    await succeed('import', people, ...common);
  });
  after(() => folder.drop());

  const audioIn = async (place: string) => {
    const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).length;
  };
  const add = (name: string, ...flags: string[]) => [
    'recordings',
    'add',
    join(files, name),
    ...common,
    ...flags,
  ];
  const manifest = async (name: string, text: string) => {
    const path = join(folder.path, name);
    await writeFile(path, text);
    return path;
  };

  it('are added one by one, with all that is said of them', async () => {
    const started = ['--started', '2026-02-01 08:00:00'];
    const all = ['--lead', '7', '--call', 'c', '--direction', 'outbound', '--remote', '+15550100', '--hold'];
    const ended = ['--ended', '2026-02-01T05:01:00Z', '--keep', '10'];
    const flags = ['--user', PERSON, ...started, ...all, ...ended, '--json'];
    const { id, createdAt: _, ...told } = JSON.parse(await succeed(...add('tone.flac', ...flags)));
    const audio = await readFile(join(files, 'tone.flac'));
    assert.deepEqual(told, {
      number: 1,
      userNumber: 1,
      leadId: 7,
      callId: 'c',
      direction: 'outbound',
      remoteNumber: '+15550100',
      startedAt: '2026-02-01T05:00:00.000Z',
      endedAt: '2026-02-01T05:01:00.000Z',
      seconds: told.seconds,
      state: 'stored',
      legalHold: true,
      keepUntil: '2026-02-11T05:00:00.000Z',
      mediaType: 'audio/flac',
      bytes: audio.length,
      sha256: createHash('sha256').update(audio).digest('hex'),
    });
    assert.ok(told.seconds > 0);
    assert.match(id, /^[0-9a-f-]{36}$/);
    const [kept] = await readdir(join(data, 'media/1'), { recursive: true, withFileTypes: true }).then(
      (entries) => entries.filter((entry) => entry.isFile()),
    );
    assert.deepEqual(await readFile(join(kept?.parentPath ?? '', kept?.name ?? '')), audio);
    const bob = ['--user', 'bob', '--started', '2026-02-01T05:00:00Z'];
    assert.match(
      await succeed(...add('opus.ogg', ...bob)),
      /^recording 2: audio\/ogg, \d+ s, 14383 bytes\n$/,
    );
  });

  it('are refused with one line, and with the code that says whose fault it was', async () => {
    const started = ['--started', '2026-02-01T05:00:00Z'];
    const cases: [number, RegExp, string[]][] = [
      [1, /no user with this email/, add('pcm.wav', '--user', 'nobody@cli.example', ...started)],
      [1, /no audio that can be read/, add('refused.webm', '--user', PERSON, ...started)],
      [1, /file: is not there/, add('none.wav', '--user', PERSON, ...started)],
      [1, /file: is no regular file/, add('.', '--user', PERSON, ...started)],
      [2, /--started must be a time/, add('pcm.wav', '--user', PERSON, '--started', 'noon')],
      [2, /--lead must be a whole number/, add('pcm.wav', '--user', PERSON, ...started, '--lead', 'x')],
      [
        2,
        /--keep cannot/,
        add('pcm.wav', '--user', PERSON, ...started, '--keep', '1', '--keep-until', '2026-03-01T00:00:00Z'),
      ],
      [2, /--user/, add('pcm.wav', ...started)],
    ];
    const before = await audioIn(join(data, 'media'));
    for (const [wanted, reason, args] of cases) {
      const { code, stdout, stderr } = await rollcall(...args);
      assert.deepEqual([code, stdout], [wanted, ''], args.join(' '));
      assert.match(stderr, /^rollcall: [^\n]+\n$/);
      assert.match(stderr, reason);
      assert.doesNotMatch(stderr, /nobody@cli/);
    }
    assert.equal(await audioIn(join(data, 'media')), before);
  });

  it('are imported by a manifest, with a verdict for each row and the refused ones in a file', async () => {
    const path = await manifest(
      'calls.csv',
      [
        'Recording,user,started at,seconds',
        `pcm.wav,${PERSON},2026-02-02 08:00:00,`,
        `../calls.csv,${PERSON},2026-02-02 08:00:00,`,
        `opus.ogg,bob,2026-02-02 08:00:00,99`,
        `"tone.flac",${PERSON},soon,`,
        '',
      ].join('\n'),
    );
    const rejects = join(folder.path, 'rejects.csv');
    const store = join(folder.path, 'elsewhere');
    const load = (file: string, ...flags: string[]) =>
      rollcall('recordings', 'import', file, '--media', files, '--store-media', store, ...common, ...flags);
    const map = ['--map', 'Recording=file'];
    const dry = await load(path, ...map, '--dry-run');
    assert.deepEqual(
      [dry.code, dry.stdout.split('\n').at(-2)],
      [1, 'would be: 2 made, 0 unchanged, 2 refused'],
    );
    assert.equal(await audioIn(store), 0);

    const first = await load(path, ...map, '--rejects', rejects);
    assert.equal(first.code, 1);
    assert.match(
      first.stdout,
      /^line 2: recording \d+\nline 4: recording \d+\n2 made, 0 unchanged, 2 refused\n/,
    );
    assert.match(
      first.stderr,
      /^line 3: file: must be a path below --media\nline 5: startedAt: must be a time/,
    );
    assert.equal(await audioIn(store), 2);

    const mended = (await readFile(rejects, 'utf8'))
      .replace('../calls.csv', 'opus.ogg')
      .replace('soon', '2026-02-03 08:00:00');
    await writeFile(rejects, mended);
    const { code, stdout } = await load(rejects, ...map, '--json');
    const { rows, ...counts } = JSON.parse(stdout);
    assert.deepEqual([code, counts], [0, { made: 2, unchanged: 0, refused: 0, dryRun: false, whole: true }]);
    assert.deepEqual(
      rows.map(({ line, outcome }: { line: number; outcome: string }) => [line, outcome]),
      [
        [2, 'made'],
        [3, 'made'],
      ],
    );
    const again = await load(path, ...map);
    assert.match(again.stdout, /^line 2: known as recording \d+\n/);
    assert.match(again.stdout, /\n0 made, 2 unchanged, 2 refused\n/);
    assert.equal(await audioIn(store), 4);

    // They are past their retention by now.
    await succeed('recordings', 'purge', ...common, '--media', store);
    const gone = await load(path, ...map);
    assert.match(gone.stdout, /^line 2: recording \d+ was let go\n/);
    assert.match(gone.stdout, /\n0 made, 2 unchanged, 2 refused\n/);
  });

  it('are not imported where the command cannot be followed', async () => {
    const path = await manifest(
      'good.jsonl',
      `{"file":"pcm.wav","user":"${PERSON}","startedAt":"2026-02-05 08:00:00"}\n`,
    );
    const load = (...flags: string[]) => rollcall('recordings', 'import', ...flags, ...common);
    const cases: [number, RegExp, string[]][] = [
      [2, /--media/, [path]],
      [1, /folder that --media names/, [path, '--media', join(folder.path, 'none')]],
      [1, /cannot read the file to import/, [join(folder.path, 'none.csv'), '--media', files]],
      [2, /--rejects names the file that is imported/, [path, '--media', files, '--rejects', path]],
      [2, /--map takes/, [path, '--media', files, '--map', 'x']],
    ];
    for (const [wanted, reason, flags] of cases) {
      const { code, stdout, stderr } = await load(...flags);
      assert.deepEqual([code, stdout], [wanted, ''], flags.join(' '));
      assert.match(stderr, /^rollcall: [^\n]+\n$/);
      assert.match(stderr, reason);
    }
    const file = join(folder.path, 'full');
    await writeFile(file, '');
    const broken = await load(path, '--media', files, '--store-media', file, '--json');
    assert.equal(broken.code, 1);
    assert.match(broken.stderr, /^rollcall: [^\n]+\n$/);
    assert.equal(broken.stdout, '');
    assert.equal((await load(path, '--media', files)).code, 0);
  });
});

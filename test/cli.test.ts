import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import Database from 'better-sqlite3';
import { isSecret } from '../src/access/token.ts';

const BIN = join(import.meta.dirname, '../bin/rollcall.js');

let folder: string;
let data: string;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs one command as a user would, on the store of these tests unless another is named. */
async function rollcall(args: readonly string[], input = ''): Promise<Ended> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH: process.env.PATH, ROLLCALL_DATA: data },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  await once(child, 'close');
  return { code: child.exitCode, out, err };
}

/** Runs a command that must go well, and gives its one JSON document. */
async function json(args: readonly string[], input = '') {
  const { code, out, err } = await rollcall([...args, '--json'], input);
  assert.equal(code, 0, err);
  return JSON.parse(out);
}

/** Runs a command that must fail with a code, one line that tells why, and nothing on stdout. */
async function refused(code: number, reason: RegExp, args: readonly string[], input = ''): Promise<void> {
  const ended = await rollcall(args, input);
  assert.equal(ended.code, code, `${args.join(' ')}: ${ended.err}`);
  assert.match(ended.err, /^rollcall: [^\n]+\n$/, args.join(' '));
  assert.match(ended.err, reason);
  assert.equal(ended.out, '');
  assert.doesNotMatch(ended.err, /bug in Rollcall| at .*:\d+:\d+/);
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rollcall-cli-'));
  data = join(folder, 'data');
  await json(['contact-center', 'create', 'north', '--timezone', 'europe/istanbul']);
});
after(() => rm(folder, { recursive: true, force: true }));

describe('every command', () => {
  it('has its help', async () => {
    const commands = [
      [],
      ['serve'],
      ['demo'],
      ['contact-center'],
      ['contact-center', 'create'],
      ['contact-center', 'list'],
      ['contact-center', 'set'],
      ['token', 'create'],
      ['token', 'list'],
      ['token', 'revoke'],
      ['import'],
      ['export'],
      ['recordings'],
      ...['list', 'hold', 'keep', 'revoke', 'purge', 'archive', 'restore', 'sweep'].map((name) => [
        'recordings',
        name,
      ]),
      ['audit', 'export'],
      ['backup'],
      ['restore'],
      ['db'],
      ['db', 'status'],
      ['db', 'migrate'],
      ['db', 'copy'],
      ['doctor'],
    ];
    const answers = await Promise.all(commands.map((command) => rollcall([...command, '--help'])));
    for (const [at, command] of commands.entries()) {
      const { code, out, err } = answers[at] ?? { code: null, out: '', err: '' };
      assert.deepEqual([code, err], [0, ''], command.join(' '));
      assert.match(out, new RegExp(`^Usage: rollcall ${command.join(' ')}`));
      if (command.length > 0 && !['contact-center', 'recordings', 'db'].includes(command.join()))
        assert.match(out, /--data <dir>[\s\S]*--json/);
      assert.doesNotMatch(out, /\[\]/, 'a default that says nothing');
    }
    assert.match((await rollcall(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
  });

  it('that is used wrongly ends with 2 and one line', async () => {
    await Promise.all([
      refused(2, /unknown command/, ['sing']),
      refused(2, /unknown option/, ['doctor', '--sing']),
      refused(2, /missing required argument/, ['import', '--contact-center', 'north']),
      refused(2, /--contact-center/, ['export']),
      refused(2, /--data takes a folder/, ['doctor', '--data', '']),
      refused(2, /\(see rollcall --help\)/, ['sing']),
      refused(2, /\(see rollcall token create --help\)/, ['token', 'create', '--name', 'a']),
      refused(2, /--port takes a whole number/, ['serve', '--port', '99999']),
      refused(2, /--insecure-http/, ['serve', '--host', '0.0.0.0', '--port', '0']),
      refused(2, /--users/, ['demo', '--users', '0']),
      refused(2, /format/, ['export', '--contact-center', 'north', '--format', 'sing']),
      refused(2, /scopes/, [
        'token',
        'create',
        '--contact-center',
        'north',
        '--name',
        'a',
        '--scopes',
        'all',
      ]),
      refused(2, /--output/, ['export', '--contact-center', 'north', '--json']),
    ]);
  });

  it('tells nothing of a URL with a password, whatever it was taken for', async () => {
    const url = 'postgres://rollcall:hush@db.internal/calls';
    for (const args of [
      ['doctor', url],
      [url],
      ['doctor', `--sing=${url}`],
      [`-s${url}`],
      ['serve', '--port', url],
      ['token', 'revoke', 'postgres://db.internal/calls?password=hush'],
      ['import', url, '--contact-center', 'north'],
      ['export', '--contact-center', url],
      ['doctor', '--data', url],
      ['backup', 'postgres://a:hush@b/c?password=a b'],
    ]) {
      const { code, out, err } = await rollcall(args);
      assert.notEqual(code, 0, args.join(' '));
      assert.match(err, /^rollcall: [^\n]+\n$/, args.join(' '));
      assert.doesNotMatch(out + err, /hush/, args.join(' '));
    }
  });

  it('that fails ends with 1 and one line', async () => {
    await Promise.all([
      refused(1, /contact-center create/, ['export', '--contact-center', 'south']),
      refused(1, /already/, ['contact-center', 'create', 'north']),
      refused(1, /no live token/, ['token', 'revoke', 'nothing']),
      refused(1, /cannot read the file/, ['import', join(folder, 'nothing'), '--contact-center', 'north']),
      refused(1, /folder/, ['import', folder, '--contact-center', 'north']),
      refused(1, /empty/, ['import', '-', '--contact-center', 'north']),
      refused(1, /--output/, ['export', '--contact-center', 'north', '--output', join(folder, 'no/where')]),
      refused(1, /--data/, ['contact-center', 'create', 'east', '--data', '/dev/null/x']),
    ]);
  });
});

describe('contact centers and tokens', () => {
  it('are made, set up and listed', async () => {
    await refused(2, /lower-case/, ['contact-center', 'create', 'Not A Slug']);
    await refused(2, /IANA/, ['contact-center', 'create', 'east', '--timezone', 'Mars']);
    await refused(2, /settings are/, ['contact-center', 'set', 'north', 'convoso.sing', '1']);
    await refused(2, /takes by-method \|/, ['contact-center', 'set', 'north', 'convoso.profile', 'loud']);
    for (const [key, value, form] of [
      ['recordings.retentionDays', '0', '1..36500'],
      ['recordings.retentionDays', 'off', '1..36500'],
      ['recordings.archiveAfterDays', '36501', 'off | 1..36500'],
      ['recordings.linkSeconds', '59', '60..604800'],
      ['recordings.delivery', 'parcel', 'stream | redirect'],
    ] as const) {
      const ended = await rollcall(['contact-center', 'set', 'north', key, value]);
      assert.deepEqual(ended, {
        code: 2,
        out: '',
        err: `rollcall: ${key} takes ${form} (see rollcall contact-center set --help)\n`,
      });
    }
    assert.deepEqual(await json(['contact-center', 'set', 'north', 'convoso.profile', 'official']), {
      name: 'north',
      key: 'convoso.profile',
      value: 'official',
    });
    const zone = await json(['contact-center', 'set', 'north', 'timezone', 'asia/kolkata']);
    assert.equal(zone.value, 'Asia/Kolkata');
    await json(['contact-center', 'set', 'north', 'timezone', 'EUROPE/istanbul']);
    await json(['contact-center', 'set', 'north', 'recordings.retentionDays', '30']);
    const [north] = await json(['contact-center', 'list']);
    assert.deepEqual(
      [north.settings['recordings.retentionDays'], north.settings['recordings.archiveAfterDays']],
      [30, 'off'],
    );
    assert.equal(north.timezone, 'Europe/Istanbul');
    assert.equal(north.settings['convoso.profile'], 'official');
    assert.match(
      (await rollcall(['contact-center', 'list'])).out,
      /^NAME +TIME ZONE +USERS +SETTINGS\nnorth /,
    );
  });

  it('tokens are shown once, listed without their secret, and revoked', async () => {
    const create = [
      'token',
      'create',
      '--contact-center',
      'north',
      '--name',
      'laptop',
      '--expires-in',
      '90d',
    ];
    const made = await json([...create, '--scopes', 'users:read', '--dialects', 'voiso,smartflo']);
    assert.ok(isSecret(made.token));
    assert.deepEqual([made.scopes, made.dialects], [['users:read'], ['voiso', 'smartflo']]);
    assert.equal(Date.parse(made.expiresAt) - Date.parse(made.createdAt), 90 * 86_400_000);
    await refused(2, /length of time/, [
      'token',
      'create',
      '--contact-center',
      'north',
      '--name',
      'a',
      '--expires-in',
      '1',
    ]);
    const list = await rollcall(['token', 'list', '--json']);
    assert.ok(!list.out.includes(made.token));
    assert.equal(JSON.parse(list.out)[0].state, 'good');
    assert.deepEqual(await json(['token', 'revoke', made.id]), { id: made.id, revoked: true });
    await refused(1, /no live token/, ['token', 'revoke', made.id]);
    assert.equal((await json(['token', 'list', '--contact-center', 'north']))[0].state, 'revoked');
    const store = await readFile(join(data, 'rollcall.sqlite'), 'latin1');
    const log = await readFile(join(data, 'rollcall.sqlite-wal'), 'latin1').catch(() => '');
    assert.ok(!(store + log).includes(made.token));
  });
});

describe('import and export', () => {
  const load = (path: string, ...more: string[]) => ['import', path, '--contact-center', 'load', ...more];

  before(() => json(['contact-center', 'create', 'load']));

  it('reads stdin, tells what it did, and keeps nothing on a dry run', async () => {
    const text = '{"email":"a@x","firstName":"A"}\n{"email":"b@x"}\n';
    const dry = await json(load('-', '--dry-run'), text);
    assert.deepEqual(dry, {
      made: 2,
      changed: 0,
      unchanged: 0,
      refused: 0,
      format: 'native',
      dryRun: true,
      refusals: [],
    });
    assert.equal((await json(load('-'), text)).made, 2);
    assert.equal((await rollcall(load('-'), text)).out, '0 made, 0 changed, 2 unchanged, 0 refused\n');
  });

  it('ends with 1 where rows were refused, and names their lines', async () => {
    const text = '{"email":"c@x"}\n{"email":\n{"email":"d@x","status":"gone"}\n';
    const plain = await rollcall(load('-', '--dry-run'), text);
    assert.equal(plain.code, 1);
    assert.deepEqual(plain.err.match(/^line \d+: .+$/gm)?.length, 2);
    assert.match(plain.out, /^would be: 1 made, .* 2 refused\n$/);
    const told = await rollcall(load('-', '--dry-run', '--json'), text);
    assert.deepEqual([told.code, told.err], [1, '']);
    assert.deepEqual(
      JSON.parse(told.out).refusals.map((each: { line: number }) => each.line),
      [2, 3],
    );
  });

  it('tells formats apart, and is told where it cannot', async () => {
    await refused(1, /--format/, load('-'), '[{"odd":1}]');
    await refused(2, /CSV/, load('-', '--format', 'voiso'), 'email\na@x\n');
    const wide = join(folder, 'wide.json');
    await writeFile(wide, Buffer.from('\ufeff[]', 'utf16le'));
    await refused(1, /UTF-16/, load(wide));
  });

  for (const [kind, text, mend] of [
    [
      'jsonl',
      '{"email":"j1@x"}\n{"email":"j2@x","status":"gone"}\n{"email":"j3@x"\n',
      (rejects: string) =>
        rejects.replace('"gone"', '"active"').replace('{"email":"j3@x"', '{"email":"j3@x"}'),
    ],
    [
      'json',
      '[\n{"email":"j1@x"},\n{"email":"j2@x",\n"status":"gone"},\n{"email":"j3@x", oops}\n]\n',
      (rejects: string) => rejects.replace('"gone"', '"active"').replace(', oops', ''),
    ],
    [
      'csv',
      'Mail,Notes,firstName,status\nj1@x,n,"A, b",active\nj2@x,n,"B ""b""\n2",gone\nj3@x,n,C\n',
      (rejects: string) => rejects.replace('gone', 'active').replace('j3@x,n,C', 'j3@x,n,C,active'),
    ],
    [
      'semicolons',
      'Notes;Mail;firstName;status\nn;j1@x;"A; b";active\n"a;b";j2@x;B, b;gone\nn;j3@x;C\n',
      (rejects: string) => rejects.replace('gone', 'active').replace('n;j3@x;C', 'n;j3@x;C;active'),
    ],
    [
      'latin1-csv',
      'Mail,firstName,status\nj1@x,A,active\nj2@x,Zo\xeb,active\nj3@x,"Zo\xeb, ""Z""\n",active\n',
      (rejects: string) => rejects,
    ],
    [
      'latin1-json',
      '[\n{"email":"j1@x"},\n{"email":"j2@x",\n"firstName":"Zo\xeb"},\n{"email":"j3@x","firstName":"\xeb"}\n]\n',
      (rejects: string) => rejects,
    ],
  ] as const) {
    it(`writes the refused rows of ${kind} so that they can be mended and loaded`, async () => {
      const name = `rejects-${kind}`;
      await json(['contact-center', 'create', name]);
      const into = ['--contact-center', name];
      const map = text.includes('Mail') ? ['--map', 'Mail=email', '--map', 'Notes='] : [];
      const path = join(folder, `people.${kind}`);
      await writeFile(path, text, 'latin1');
      const rejects = join(folder, `rejects.${kind}`);
      const first = await rollcall(['import', path, ...into, ...map, '--rejects', rejects, '--json']);
      assert.equal(first.code, 1);
      assert.deepEqual([JSON.parse(first.out).made, JSON.parse(first.out).refused], [1, 2]);
      assert.equal((await stat(rejects)).mode & 0o777, 0o600);
      // Loaded as they are, they are refused again, and none slips in.
      const again = join(folder, `again.${kind}`);
      const second = await rollcall(['import', rejects, ...into, '--rejects', again, '--json']);
      assert.deepEqual([JSON.parse(second.out).made, JSON.parse(second.out).refused], [0, 2], second.out);
      for (const each of [rejects, again]) {
        const mended = await file(`mended.${kind}`, mend(await readFile(each, 'latin1')));
        const third = await json(['import', mended, ...into]);
        assert.equal(third.refused, 0);
      }
      const people = (await rollcall(['export', '--contact-center', name])).out.trim().split('\n');
      assert.deepEqual(
        people.map((line) => JSON.parse(line).email),
        ['j1@x', 'j2@x', 'j3@x'],
      );
      assert.ok(!people.join('').includes('\ufffd'));
    });
  }

  it('leaves no refused rows of another run where none is refused', async () => {
    const rejects = await file('stale.jsonl', '{"email":"old@x","status":"gone"}\n');
    const path = await file('fresh.jsonl', '{"email":"fresh@x"}\n');
    await json(['contact-center', 'create', 'stale']);
    const load = (...flags: string[]) => ['import', path, '--contact-center', 'stale', ...flags];
    await json(load('--rejects', rejects, '--dry-run'));
    assert.match(await readFile(rejects, 'utf8'), /old@x/);
    await json(load('--rejects', rejects));
    assert.equal(await readFile(rejects, 'utf8'), '');
    await json(load('--rejects', join(folder, 'never.jsonl')));
    await assert.rejects(stat(join(folder, 'never.jsonl')), { code: 'ENOENT' });
  });

  it('does not empty the file that it reads, and tells where rejects cannot be written', async () => {
    const path = await file('self.jsonl', '{"status":"gone"}\n');
    await refused(2, /another name/, load(path, '--rejects', path));
    assert.equal(await readFile(path, 'utf8'), '{"status":"gone"}\n');
    const ended = await rollcall(load(path, '--rejects', join(folder, 'no/where')));
    assert.equal(ended.code, 1);
    assert.match(ended.err, /rollcall: cannot write the file that --rejects names/);
    assert.doesNotMatch(ended.err, /bug in Rollcall|node:/);
  });

  it('writes a whole file or none', async () => {
    const path = join(folder, 'out.json');
    const told = await json(['export', '--contact-center', 'load', '--format', 'smartflo', '--output', path]);
    assert.deepEqual(told, { users: 2, format: 'smartflo', output: path });
    const page = JSON.parse(await readFile(path, 'utf8'));
    assert.deepEqual([page.has_more, page.count, page.data.length], [false, 2, 2]);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    await mkdir(join(folder, 'taken'));
    await refused(1, /--output/, ['export', '--contact-center', 'load', '--output', join(folder, 'taken')]);
    assert.equal(await stat(join(folder, 'taken.partial')).catch(() => null), null);
    assert.equal((await json(['import', path, '--contact-center', 'load'])).unchanged, 2);
  });
});

describe('demo and doctor', () => {
  it('demo makes the same people each time, as many recordings as are asked for, and a token', async () => {
    const first = await json(['demo', '--users', '30', '--recordings', '12']);
    assert.ok(isSecret(first.token));
    assert.deepEqual([first.users, first.recordings], [30, 12]);
    const before = (await rollcall(['export', '--contact-center', 'demo'])).out;
    const again = await json(['demo', '--users', '30', '--recordings', '15']);
    assert.deepEqual([again.users, again.recordings], [30, 15]);
    assert.equal((await rollcall(['export', '--contact-center', 'demo'])).out, before);
  });

  it('doctor finds a good store good', async () => {
    const told = await json(['doctor']);
    assert.equal(told.ok, true);
    const checks = told.findings.map((each: { check: string }) => each.check);
    for (const check of [
      'settings',
      'pragma journal_mode',
      'pragma synchronous',
      'pragma foreign_keys',
      'pragma secure_delete',
      'integrity',
      'disk space',
      'clock',
      'media',
      'media space',
    ]) {
      assert.ok(checks.includes(check), check);
    }
    assert.match((await rollcall(['doctor'])).out, /all is well\n$/);
  });

  it('doctor says what is wrong', async () => {
    const bad = join(folder, 'bad');
    await json(['contact-center', 'create', 'north', '--data', bad]);
    const db = new Database(join(bad, 'rollcall.sqlite'));
    db.prepare(`update contact_centers set settings = '{"convoso.profile":"loud"}', created_at = ?`).run(
      Date.now() * 2,
    );
    db.close();
    const { code, out } = await rollcall(['doctor', '--data', bad, '--json']);
    assert.equal(code, 1);
    const findings: { check: string; ok: boolean; detail: string }[] = JSON.parse(out).findings;
    const wrong = findings.filter((each) => !each.ok);
    assert.deepEqual(wrong.map((each) => each.check).sort(), ['clock', 'settings']);
    assert.match(wrong.map((each) => each.detail).join(), /north convoso\.profile/);
    await refused(1, /no store/, ['doctor', '--data', join(folder, 'nowhere')]);
  });

  it('make no store where one has to be there', async () => {
    const nowhere = join(folder, 'nowhere');
    const north = ['--contact-center', 'north'];
    const path = await file('nobody.jsonl', '{"email":"a@x"}\n');
    for (const command of [
      ['contact-center', 'list'],
      ['contact-center', 'set', 'north', 'timezone', 'UTC'],
      ['token', 'list'],
      ['import', path, ...north],
      ['export', ...north],
      ['recordings', 'list', ...north],
      ['recordings', 'import', path, '--media', folder, ...north],
      ['audit', 'export', ...north],
    ]) {
      await refused(1, /there is no store in .*contact-center create/, [...command, '--data', nowhere]);
    }
    await assert.rejects(stat(nowhere), { code: 'ENOENT' });
    assert.equal(await stat(join(folder, 'nowhere')).catch(() => null), null);
    const lost = JSON.parse((await rollcall(['doctor', '--archive-media', '/proc/rollcall', '--json'])).out);
    const [archive, ...others] = lost.findings.filter((each: { ok: boolean }) => !each.ok);
    assert.equal(archive.check, 'archive');
    assert.match(archive.detail, /cannot use the media folder/);
    assert.deepEqual(others, []);
    const torn = join(folder, 'torn');
    await mkdir(torn);
    await writeFile(join(torn, 'rollcall.sqlite'), 'this is no database, whatever its name says'.repeat(100));
    await refused(1, /damaged or not a Rollcall store/, ['doctor', '--data', torn]);
  });
});

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { ROOT, rollcall, run, serveJson } from './server-process.ts';

const UNIT = join(ROOT, 'examples/rollcall.service');
const COMPOSE = join(ROOT, 'examples/compose.yaml');
const ANALYZE = '/usr/bin/systemd-analyze';

interface Service {
  readonly image: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: object;
}

/** The settings of a unit, by name; one that is given twice has both. */
function readUnit(): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const line of readFileSync(UNIT, 'utf8').split('\n')) {
    const [, name, value] = /^([A-Z]\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined) settings.set(name, [...(settings.get(name) ?? []), value ?? '']);
  }
  return settings;
}

describe('the examples', () => {
  let data: string;
  let help: string;
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-examples-'));
    help = (await rollcall('serve', '--help')).stdout + readFileSync(join(ROOT, 'README.md'), 'utf8');
  });
  after(() => rm(data, { recursive: true }));

  /** The flags behind `serve`, without the port: tests take a free one. */
  const flagsOf = (command: readonly string[]): string[] => {
    const at = command.indexOf('serve');
    assert.ok(at > 0 && command[at - 1] === 'bin/rollcall.js', command.join(' '));
    const flags = command.slice(at + 1);
    const port = flags.indexOf('--port');
    return port < 0 ? flags : flags.toSpliced(port, 2);
  };
  /** Each variable of ours that an example sets is one that is read. */
  const checkVariables = (names: readonly string[]) => {
    for (const name of names) assert.ok(help.includes(name), `${name} is told of`);
  };

  test('the unit of systemd starts a server', async () => {
    const unit = readUnit();
    const [start = ''] = unit.get('ExecStart') ?? [];
    const server = await serveJson(...flagsOf(start.split(' ')), '--data', join(data, 'unit'));
    assert.equal((await fetch(server.told.ready)).status, 200);
    assert.equal(server.told.workers, 2);
    assert.equal((await server.stop()).code, 0);
    const set = (unit.get('Environment') ?? []).map((each) => each.split('=')[0] ?? '');
    const told = [...readFileSync(UNIT, 'utf8').matchAll(/\bROLLCALL_\w+/g)].map(([name]) => name);
    checkVariables([...set, ...told]);
    // A worker drains for ten seconds; systemd must not end it before.
    assert.ok(Number(unit.get('TimeoutStopSec')) > 10);
  });

  test('the unit of systemd is one that systemd understands', {
    skip: !existsSync(ANALYZE) && 'no systemd-analyze here (Debian: apt-get install systemd)',
  }, async () => {
    const copy = join(data, 'rollcall.service');
    const text = readFileSync(UNIT, 'utf8');
    // It looks for the program and the folder, which are elsewhere here.
    const here = text
      .replaceAll('/opt/rollcall/node_modules/.bin/node', process.execPath)
      .replaceAll('/opt/rollcall', ROOT);
    assert.notEqual(here, text);
    await writeFile(copy, here);
    const { code, stdout, stderr } = await run(ANALYZE, ['verify', '--man=no', copy]);
    const said = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('rollcall'));
    assert.deepEqual([code, said], [0, []]);
    await writeFile(copy, here.replace('KillMode=mixed', 'KillMode=gently'));
    const broken = await run(ANALYZE, ['verify', '--man=no', copy]);
    assert.match(`${broken.stdout}${broken.stderr}`, /gently/, 'it would have said so');
  });

  test('the compose file holds together, and starts a server', { skip: noPostgres }, async () => {
    const { services, volumes } = parse(readFileSync(COMPOSE, 'utf8')) as {
      services: Readonly<Record<string, Service>>;
      volumes: Readonly<Record<string, unknown>>;
    };
    const { rollcall: ours } = services;
    assert.ok(ours?.command && ours.environment);
    for (const [name, { condition }] of Object.entries(ours.depends_on ?? {})) {
      assert.ok(services[name], name);
      if (condition === 'service_healthy') assert.ok(services[name]?.healthcheck, name);
    }
    for (const { volumes: mounted = [] } of Object.values(services)) {
      for (const [from = ''] of mounted.map((each) => each.split(':'))) {
        assert.ok(from.startsWith('.') || from in volumes, from);
      }
    }
    checkVariables(Object.keys(ours.environment).filter((name) => name.startsWith('ROLLCALL_')));
    for (const name of ['ROLLCALL_DATABASE_URL', 'ROLLCALL_REDIS_URL']) {
      // The password's place is filled in by compose.
      const url = new URL((ours.environment[name] ?? '').replace(/\$\{[^}]*\}/, 'hush'));
      assert.ok(services[url.hostname], `${name} names a service`);
    }
    assert.ok(Object.keys(ours.environment).includes('ROLLCALL_DATA'));

    const postgres = await PostgresServer.start();
    try {
      const place = ['--data', join(data, 'compose'), '--database-url', await postgres.makePlace()];
      const server = await serveJson(...flagsOf(ours.command), ...place);
      const { port } = new URL(server.told.address);
      assert.equal((await fetch(`http://127.0.0.1:${port}/readyz`)).status, 200);
      assert.equal((await server.stop()).code, 0);
    } finally {
      await postgres.stop();
    }
  });
});

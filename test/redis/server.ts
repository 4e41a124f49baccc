import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../postgres/server.ts';

const PROGRAM = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find(existsSync);

/** Why tests with Redis cannot run here; false where they can. */
export const noRedis: string | false =
  PROGRAM === undefined && 'no redis-server here (Debian: apt-get install redis-server; .ci/run does it)';

const PASSWORD = 'only for tests';

/** A Redis server that keeps nothing, for one test file. */
export class RedisServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rollcall-redis-'));
  #port = 0;
  #child: ChildProcess | undefined;

  static async start(): Promise<RedisServer> {
    const server = new RedisServer();
    server.#port = await freePort();
    await server.resume();
    return server;
  }

  get url(): string {
    return `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.#port}/0`;
  }

  /** Starts it (again), and resolves once it takes connections. */
  async resume(): Promise<void> {
    const settings = ['--bind', '127.0.0.1', '--port', String(this.#port), '--requirepass', PASSWORD];
    // The shell ends the server when what it reads ends, and so when this process is gone, however it went.
    const child = spawn(
      '/bin/sh',
      [
        '-c',
        '"$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -KILL $server) 2>/dev/null & wait $server',
        'sh',
        PROGRAM ?? '',
        ...[...settings, '--save', '', '--appendonly', 'no', '--dir', this.#folder],
      ],
      { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] },
    );
    this.#child = child;
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        said += chunk;
        if (said.includes('Ready to accept connections')) resolve();
      });
      child.once('exit', () => reject(new Error(`Redis did not start: ${said.slice(-500)}`)));
    });
  }

  /** Has it hang, as if its machine did, or go on. */
  async hang(isHanging: boolean): Promise<void> {
    // The child is a shell; Redis itself tells its own process.
    this.#pid ??= Number(/process_id:(\d+)/.exec(await this.ask((redis) => redis.info('server')))?.[1]);
    process.kill(this.#pid, isHanging ? 'SIGSTOP' : 'SIGCONT');
  }
  #pid: number | undefined;

  async ask<T>(question: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.url);
    try {
      return await question(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Ends it at once. */
  async crash(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#pid = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.stdio[3]?.destroy();
    await ended;
  }

  async stop(): Promise<void> {
    await this.crash();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

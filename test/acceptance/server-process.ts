import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after } from 'node:test';

export const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/rollcall.js');

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Bounds in seconds, many times what is needed on a busy machine: what is still not done then hangs, and a
 * test that waits for it would tell nobody.
 */
const COMMAND = 60;
const SERVE_START = 30;
/** More than a drain may take. */
const SERVE_STOP = 25;

/**
 * Does something once this process has run for so many seconds: time in which it is stopped, as when a
 * machine sleeps, is no sign that a child hangs. Gives what calls it off.
 */
export function runningFor(seconds: number, act: () => void): () => void {
  let left = seconds;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    act();
  }, 1000);
  return () => clearInterval(timer);
}

/** Environment without what a developer may have set for their own store; compiled code is kept for the next child. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const rest = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('ROLLCALL_')),
  );
  return { NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/rollcall-tests'), ...rest };
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Ends it with all that it started, at once. */
  kill(): void;
  /** What a wait for this child gives, or a failure that says what it was that hung; it is killed then. */
  bound<T>(wait: Promise<T>, seconds: number): Promise<T>;
}

const running = new Set<Started>();
const killRunning = () => {
  for (const each of running) each.kill();
};
process.on('exit', killRunning);
// A failed test leaves its server behind, and a process with a child does not come to its exit.
after(killRunning);
// A test file that takes too long is ended so; by itself this would leave its children behind.
process.once('SIGTERM', () => process.exit(1));

function start(command: string, args: readonly string[]): Started {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, which can be killed as a whole: a shell's commands, a server's workers.
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const started: Started = {
    child,
    ended: once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr })),
    kill() {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // All of the group has ended.
      }
      child.stdout.destroy();
      child.stderr.destroy();
    },
    async bound(wait, seconds) {
      let callOff = () => {};
      const over = new Promise<never>((_, reject) => {
        callOff = runningFor(seconds, () => {
          started.kill();
          const said = `${stdout}${stderr}`.slice(-500);
          reject(new Error(`hung for ${seconds} s and was killed: ${args.join(' ')}; it said: ${said}`));
        });
      });
      return Promise.race([wait, over]).finally(callOff);
    },
  };
  running.add(started);
  const forget = () => running.delete(started);
  started.ended.then(forget, forget);
  return started;
}

/** Runs a program to its end. @throws Error where it does not come to one; it is killed then */
export function run(command: string, args: readonly string[]): Promise<Ended> {
  const { ended, bound } = start(command, args);
  return bound(ended, COMMAND);
}

/** Runs `rollcall` to its end. */
export function rollcall(...args: string[]): Promise<Ended> {
  return run(process.execPath, [BIN, ...args]);
}

/** What `serve --json` tells on stdout. */
export interface Told {
  readonly address: string;
  readonly docs: string;
  readonly openapi: string;
  readonly health: string;
  readonly ready: string;
  readonly metrics: string;
  readonly workers: number;
  readonly demo: { readonly contactCenter: string; readonly token: string } | null;
  readonly samples: readonly { readonly title: string; readonly command: string }[];
}

/** A server that runs as a user would run it. */
export interface ServerProcess {
  /** What it printed until it served. */
  readonly printed: string;
  readonly pid: number;
  /** Ends it with a signal, SIGTERM unless another is named. @throws Error where it does not end; it is killed then */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

/**
 * Starts `rollcall serve`, and resolves once `isWhole` says of what it printed that it is all.
 * @throws Error when it ends before, or hangs
 */
async function startServer(
  args: readonly string[],
  isWhole: (printed: string) => boolean,
): Promise<ServerProcess> {
  const { child, ended, bound } = start(process.execPath, [BIN, 'serve', '--port', '0', ...args]);
  let printed = '';
  const served = new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
      if (isWhole(printed)) resolve();
    });
    ended.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)), reject);
  });
  await bound(served, SERVE_START);
  return {
    printed,
    pid: child.pid ?? 0,
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return bound(ended, SERVE_STOP);
    },
  };
}

function parse(text: string): Told | null {
  try {
    return JSON.parse(text) as Told;
  } catch {
    return null;
  }
}

/** Starts `rollcall serve --json`. */
export async function serveJson(...args: string[]): Promise<ServerProcess & { readonly told: Told }> {
  const server = await startServer(['--json', ...args], (printed) => parse(printed) !== null);
  const told = parse(server.printed);
  if (told === null) throw new Error('serve printed no JSON');
  return { ...server, told };
}

/** Starts `rollcall serve` for people: what it prints ends with an empty line. */
export function servePlain(...args: string[]): Promise<ServerProcess> {
  return startServer(args, (printed) => printed.endsWith('\n\n') && printed.includes('curl '));
}

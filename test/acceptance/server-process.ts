import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'bin/rollcall.js');

/** How a command ended, and what it said. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Environment without what a developer may have set for their own store. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const { ROLLCALL_DATA: _, ...rest } = process.env;
  return rest;
}

function start(command: string, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, ended };
}

/** Runs a program to its end. */
export function run(command: string, args: readonly string[]): Promise<Ended> {
  return start(command, args).ended;
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
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** Ends it with SIGTERM. */
  stop(): Promise<Ended>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Starts `rollcall serve`, and resolves once `isWhole` says of what it printed that it is all.
 * @throws Error when it ends before
 */
async function startServer(
  args: readonly string[],
  isWhole: (printed: string) => boolean,
): Promise<ServerProcess> {
  const { child, ended } = start(process.execPath, [BIN, 'serve', '--port', '0', ...args]);
  running.add(child);
  ended.then(() => running.delete(child));
  let printed = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      printed += chunk;
      if (isWhole(printed)) resolve();
    });
    ended.then(({ code, stderr }) => reject(new Error(`serve ended with ${code}: ${stderr}`)));
  });
  return {
    printed,
    signal: (name) => child.kill(name),
    ended,
    stop() {
      child.kill('SIGTERM');
      return ended;
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

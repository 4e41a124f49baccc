import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadFigures, LoadJob } from './load.ts';

const ROOT = join(import.meta.dirname, '..');

/** Runs the command line as a user would; gives its stdout. @throws when it fails */
export async function rollcall(args: readonly string[], showProgress = false): Promise<string> {
  const child = spawn(process.execPath, [join(ROOT, 'bin/rollcall.js'), ...args], {
    stdio: ['ignore', 'pipe', showProgress ? 'inherit' : 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const out = await readAll(child);
  const code = child.exitCode ?? (await new Promise((resolve) => child.once('close', resolve)));
  if (code !== 0) throw new Error(`rollcall ${args[0]} ended with ${code}: ${said.slice(0, 300)}`);
  return out;
}

async function readAll(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) text += chunk;
  return text;
}

/** A server in a process of its own. */
export interface Served {
  readonly url: string;
  readonly pid: number;
  /** Milliseconds from the start of the process to its first 200 on /readyz. */
  readonly readyAfter: number;
  stop(): Promise<void>;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Rollcall as a user runs it: request log (into a file), metrics and limits on. */
export async function serveRollcall(data: string, log: string): Promise<Served> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'bin/rollcall.js'),
      'serve',
      '--data',
      data,
      '--port',
      String(port),
      '--rate-limit',
      '1000000000',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  child.stderr?.pipe(createWriteStream(log));
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    const isReady = await fetch(`${url}/readyz`).then(
      (response) => response.status === 200,
      () => false,
    );
    if (isReady) break;
    if (child.exitCode !== null) throw new Error('rollcall serve ended; see its log');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return { url, pid: child.pid ?? 0, readyAfter: performance.now() - start, stop: () => stop(child) };
}

/** The bare server with these bytes. */
export async function serveBare(bodyFile: string): Promise<Served> {
  const start = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'bare.ts'), bodyFile], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<string>((resolve) =>
    child.stdout?.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    readyAfter: performance.now() - start,
    stop: () => stop(child),
  };
}

/** Runs one load in a process of its own. */
export async function load(job: LoadJob): Promise<LoadFigures> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'load.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin?.end(JSON.stringify(job));
  return JSON.parse(await readAll(child));
}

/** Memory of a process that is its own and in use, in MB (VmRSS of proc(5)). */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1000;
}

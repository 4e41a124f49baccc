import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { LoadFigures, LoadJob } from './load.ts';

const ROLLCALL = fileURLToPath(import.meta.resolve('../bin/rollcall.js'));
const BARE = fileURLToPath(import.meta.resolve('./bare.ts'));
const BARE_SQL = fileURLToPath(import.meta.resolve('./bare-sql.ts'));
const BARE_FILES = fileURLToPath(import.meta.resolve('./bare-files.ts'));
const LOAD = fileURLToPath(import.meta.resolve('./load.ts'));

/** Waits for a process's end; gives its stdout. @throws when it fails */
async function finish(child: ChildProcess, name: string): Promise<string> {
  let out = '';
  let said = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${said.trim().slice(-300)}`);
  return out;
}

/** Runs the command line as a user would; gives its stdout. @throws when it fails */
export async function rollcall(args: readonly string[], showProgress = false): Promise<string> {
  const child = spawn(process.execPath, [ROLLCALL, ...args], {
    stdio: ['ignore', 'pipe', showProgress ? 'inherit' : 'pipe'],
  });
  return finish(child, `rollcall ${args[0]}`);
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
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

/** Reads a server's stdout until it makes sense. @throws when the server ends instead */
async function firstWords<T>(child: ChildProcess, name: string, parse: (text: string) => T): Promise<T> {
  let text = '';
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code} before it served`)));
    child.stdout?.on('data', (chunk) => {
      text += chunk;
      if (text.endsWith('\n')) resolve(parse(text));
    });
  });
}

/**
 * Rollcall as a user runs it: request log, metrics and limits on, the limits higher than any load. The log
 * goes into a file of its own; piped through this process, reading it would be measured as well.
 */
export async function serveRollcall(data: string, log: string): Promise<Served> {
  const descriptor = openSync(log, 'w');
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [ROLLCALL, 'serve', '--data', data, '--port', '0', '--json', '--rate-limit', '1000000000'],
    { stdio: ['ignore', 'pipe', descriptor] },
  );
  closeSync(descriptor);
  const { address } = await firstWords(child, `rollcall serve (its log is ${log})`, (text) =>
    JSON.parse(text),
  );
  const url = String(address);
  while ((await fetch(`${url}/readyz`)).status !== 200) await new Promise(setImmediate);
  return { url, pid: child.pid ?? 0, readyAfter: performance.now() - start, stop: () => stop(child) };
}

/** The bare server with these bytes. */
export const serveBare = (bodyFile: string): Promise<Served> => serveScript(BARE, bodyFile);

/** A server that runs the statements of a job, as `bare-sql.ts` has it. */
export const serveSql = (jobFile: string): Promise<Served> => serveScript(BARE_SQL, jobFile);

/** The bare server over a folder of files. */
export const serveBareFiles = (folder: string): Promise<Served> => serveScript(BARE_FILES, folder);

async function serveScript(script: string, argument: string): Promise<Served> {
  const start = performance.now();
  const child = spawn(process.execPath, [script, argument], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await firstWords(child, 'the bare server', (text) => text.trim());
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    readyAfter: performance.now() - start,
    stop: () => stop(child),
  };
}

/** Runs one load in a process of its own. */
export async function load(job: LoadJob): Promise<LoadFigures> {
  const child = spawn(process.execPath, [LOAD], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(JSON.stringify(job));
  return JSON.parse(await finish(child, 'the load'));
}

/** A line of a process's memory in /proc, in MB of 1,000,000 bytes (proc_pid_status(5)). */
export function memoryOf(pid: number, line: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`${line}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) * 1024) / 1e6;
}

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, ROOT, rollcall, runningFor } from '../acceptance/server-process.ts';

export const BIN = join(ROOT, 'bin/rollcall.js');

/** An environment in which code that was compiled before is used again, as by the commands that `succeed` runs. */
export const COMPILED: NodeJS.ProcessEnv = {
  ...process.env,
  NODE_COMPILE_CACHE: join(ROOT, 'node_modules/.cache/rollcall-tests'),
};

/** A folder of its own for a file of tests; `drop` removes it. */
export async function makeFolder(name: string): Promise<{ path: string; drop: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), `rollcall-${name}-`));
  return { path, drop: () => rm(path, { recursive: true, force: true }) };
}

/** Runs a command that must go well. Gives what it printed. */
export async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await rollcall(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** What a failing command must say: one line that names the mend, and no trace of the program's insides. */
export function assertOneLine({ code, stderr }: Ended, reason: RegExp, what: string): void {
  assert.equal(code, 1, `${what}: ${stderr}`);
  assert.match(stderr, /^rollcall: [^\n]+\n$/, what);
  assert.match(stderr, reason, what);
  assert.doesNotMatch(stderr, /bug in Rollcall|node:|\.ts:/, what);
}

/** Runs a command that must fail with 1 and one line. */
export async function failsWith(reason: RegExp, ...args: string[]): Promise<void> {
  assertOneLine(await rollcall(...args), reason, args.join(' '));
}

/** An answer, in seconds: many times what it takes on a busy machine. */
const ANSWER = 30;

/** Asks a server. @throws where it does not answer */
export async function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const giveUp = new AbortController();
  const callOff = runningFor(ANSWER, () => giveUp.abort());
  try {
    const answer = await fetch(url, { headers, signal: giveUp.signal });
    return new Response(await answer.arrayBuffer(), answer);
  } finally {
    callOff();
  }
}

export const emailOf = (person: number): string => `person${person}@faults.example`;

/** Native rows of people who have extensions, teams and numbers in two dialects. */
export function people(first: number, last: number): string {
  const rows: string[] = [];
  for (let person = first; person <= last; person += 1) {
    rows.push(
      JSON.stringify({
        email: emailOf(person),
        firstName: `First${person % 97}`,
        lastName: `Last${person % 89}`,
        role: { name: `Role ${person % 7}` },
        teams: [`Team ${person % 5}`, `Team ${(person + 1) % 5}`],
        extensions: [String(10_000_000 + person), String(20_000_000 + person)],
        dialectNumbers: { voiso: 500_000 + person, smartflo: 900_000 - person },
      }),
    );
  }
  return `${rows.join('\n')}\n`;
}

/** Runs a command and kills it after some time. Gives whether it had not ended before. */
export async function killAfter(milliseconds: number, args: readonly string[]): Promise<boolean> {
  const child = spawn(process.execPath, [BIN, ...args], {
    stdio: 'ignore',
    env: COMPILED,
  });
  const ended = once(child, 'close');
  await Promise.race([sleep(milliseconds), ended]);
  child.kill('SIGKILL');
  await ended;
  return child.signalCode === 'SIGKILL';
}

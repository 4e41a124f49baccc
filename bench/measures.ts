import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { load, residentMegabytes, rollcall, type Served, serveBare } from './processes.ts';
import type { Scenario } from './scenarios.ts';

const ROUNDS = 3;
const CONNECTIONS = 8;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** A scenario's figures. Requests per second are medians of rounds that took turns; times in milliseconds. */
export interface ScenarioFigures {
  readonly scenario: string;
  readonly users: number;
  readonly bytes: number;
  readonly perSecond: number;
  readonly barePerSecond: number;
  readonly ratio: number;
  /** With one connection: what a request takes by itself. */
  readonly p50: number;
  readonly p99: number;
  readonly bareP50: number;
  readonly bad: number;
}

/** Rollcall and the bare server, in turns: the machine's mood is the same for both. */
export async function measureScenario(
  scenario: Scenario,
  served: Served,
  users: number,
  token: string,
  seconds: number,
): Promise<ScenarioFigures> {
  const requests = scenario.requests(users, token);
  const [first] = requests;
  if (first === undefined) throw new Error(`${scenario.name} has no requests`);
  const answer = await fetch(served.url + first.path, {
    method: first.method,
    ...(first.headers === undefined ? {} : { headers: first.headers }),
    ...(first.body === undefined ? {} : { body: first.body }),
  });
  const body = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${scenario.name} was answered with ${answer.status}`);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  writeFileSync(join(folder, 'body'), body);
  const bare = await serveBare(join(folder, 'body'));
  try {
    const ours: number[] = [];
    const theirs: number[] = [];
    let bad = 0;
    await load({ url: served.url, connections: CONNECTIONS, seconds: 1, requests });
    for (let round = 0; round < ROUNDS; round += 1) {
      const job = { connections: CONNECTIONS, seconds, requests };
      const a = await load({ url: served.url, ...job });
      const b = await load({ url: bare.url, ...job });
      ours.push(a.perSecond);
      theirs.push(b.perSecond);
      bad += a.bad;
    }
    const alone = await load({ url: served.url, connections: 1, seconds, requests });
    const bareAlone = await load({ url: bare.url, connections: 1, seconds, requests });
    return {
      scenario: scenario.name,
      users,
      bytes: body.length,
      perSecond: median(ours),
      barePerSecond: median(theirs),
      ratio: median(ours.map((each, at) => each / (theirs[at] ?? Number.NaN))),
      p50: alone.p50,
      p99: alone.p99,
      bareP50: bareAlone.p50,
      bad: bad + alone.bad,
    };
  } finally {
    await bare.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

export interface DirectoryFigures {
  readonly users: number;
  readonly megabytes: number;
  readonly megabytesPerSecond: number;
  readonly idleMegabytes: number;
  readonly peakMegabytes: number;
}

/** The whole directory in one answer: speed, and the server's memory while it is sent. */
export async function measureDirectory(
  served: Served,
  users: number,
  token: string,
): Promise<DirectoryFigures> {
  const idleMegabytes = residentMegabytes(served.pid);
  let peakMegabytes = idleMegabytes;
  const watch = setInterval(() => {
    peakMegabytes = Math.max(peakMegabytes, residentMegabytes(served.pid));
  }, 20);
  try {
    const start = performance.now();
    const answer = await fetch(`${served.url}/user_management/v1/users`, {
      headers: { authorization: `Bearer ${token}` },
    });
    let bytes = 0;
    for await (const chunk of answer.body ?? []) bytes += chunk.length;
    const seconds = (performance.now() - start) / 1000;
    return {
      users,
      megabytes: bytes / 1e6,
      megabytesPerSecond: bytes / 1e6 / seconds,
      idleMegabytes,
      peakMegabytes,
    };
  } finally {
    clearInterval(watch);
  }
}

export interface ImportFigures {
  readonly users: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** By the wall clock, with the start and the end of the process. */
  readonly usersPerSecond: number;
}

/** Loads an export of the directory into a fresh store, as a user would. */
export async function measureImport(data: string, users: number): Promise<ImportFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  try {
    const file = join(folder, 'users.jsonl');
    const fresh = join(folder, 'data');
    await rollcall(['export', '--contact-center', 'demo', '--data', data, '--output', file]);
    await rollcall(['contact-center', 'create', 'fresh', '--data', fresh]);
    const start = performance.now();
    await rollcall(['import', file, '--contact-center', 'fresh', '--data', fresh]);
    const seconds = (performance.now() - start) / 1000;
    return { users, megabytes: statSync(file).size / 1e6, seconds, usersPerSecond: users / seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

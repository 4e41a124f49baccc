import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LoadRequest } from './load.ts';
import { load, memoryOf, rollcall, type Served, serveBare, serveRollcall, serveSql } from './processes.ts';
import type { Scenario } from './scenarios.ts';

/** Odd, so that a median is one of them. */
const ROUNDS = 3;
const CONNECTIONS = 8;

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** A server under load. Times in milliseconds. */
export interface Side {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** A scenario's figures: medians of rounds in which the two servers took turns. */
export interface ScenarioFigures {
  readonly scenario: string;
  readonly users: number;
  /** Length of a typical answer, which is what the bare server sends. */
  readonly bytes: number;
  readonly rollcall: Side;
  readonly bare: Side;
  /** Rollcall's requests per second to the bare server's: the median of each round's own ratio. */
  readonly ratio: number;
  readonly bad: number;
  /** The bare server that runs the same statements, and the share of it; absent where the store is no server. */
  readonly sql?: Side;
  readonly sqlRatio?: number;
}

/** A walk through a scenario's questions that goes on, from load to load, where the last one stopped. */
function createWalk(served: Served, requests: readonly LoadRequest[], connections: number) {
  let from = 0;
  return async (seconds: number) => {
    const figures = await load({ url: served.url, connections, seconds, requests, from });
    from = (from + figures.answered) % requests.length;
    return figures;
  };
}

const sideOf = (rounds: readonly Side[]): Side => ({
  perSecond: median(rounds.map((each) => each.perSecond)),
  p50: median(rounds.map((each) => each.p50)),
  p99: median(rounds.map((each) => each.p99)),
});

/** The median of each round's own ratio. */
const shareOf = (ours: readonly Side[], theirs: readonly Side[]): number =>
  median(ours.map((each, at) => each.perSecond / (theirs[at]?.perSecond ?? Number.NaN)));

/** An answer of middling length among some. @throws when one is not 200 */
async function typicalAnswer(served: Served, { name }: Scenario, requests: readonly LoadRequest[]) {
  const answers: Buffer[] = [];
  for (const request of requests.slice(0, 21)) {
    const { method, path, headers = {}, body = null } = request;
    const answer = await fetch(served.url + path, { method, headers, body });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200) throw new Error(`${name} was answered with ${answer.status}: ${bytes}`);
    answers.push(bytes);
  }
  answers.sort((a, b) => a.length - b.length);
  const typical = answers[Math.floor(answers.length / 2)];
  if (typical === undefined) throw new Error(`${name} asks nothing`);
  return typical;
}

/** Rollcall and the bare server, in turns: the machine's mood is the same for both. */
export async function measureScenario(
  scenario: Scenario,
  served: Served,
  users: number,
  token: string,
  seconds: number,
  sqlOf?: (requests: readonly LoadRequest[]) => Promise<object>,
): Promise<ScenarioFigures> {
  const requests = scenario.requests(users, token);
  const body = await typicalAnswer(served, scenario, requests);
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const bodyFile = join(folder, 'body');
  writeFileSync(bodyFile, body);
  let bySql: Served | undefined;
  if (sqlOf !== undefined) {
    const jobFile = join(folder, 'job');
    writeFileSync(jobFile, JSON.stringify(await sqlOf(requests)));
    bySql = await serveSql(jobFile);
  }
  const bare = await serveBare(bodyFile);
  try {
    const askSql = bySql === undefined ? null : createWalk(bySql, requests, CONNECTIONS);
    await askSql?.(1);
    const askRollcall = createWalk(served, requests, CONNECTIONS);
    const askBare = createWalk(bare, requests, CONNECTIONS);
    await askRollcall(1);
    await askBare(1);
    const ours: Side[] = [];
    const theirs: Side[] = [];
    const sqls: Side[] = [];
    let bad = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const figures = await askRollcall(seconds);
      ours.push(figures);
      theirs.push(await askBare(seconds));
      bad += figures.bad;
      if (askSql === null) continue;
      const answered = await askSql(seconds);
      if (answered.bad > 0) throw new Error(`${scenario.name}: the bare server's statements fail`);
      sqls.push(answered);
    }
    return {
      scenario: scenario.name,
      users,
      bytes: body.length,
      rollcall: sideOf(ours),
      bare: sideOf(theirs),
      ratio: shareOf(ours, theirs),
      bad,
      ...(sqls.length === 0 ? {} : { sql: sideOf(sqls), sqlRatio: shareOf(ours, sqls) }),
    };
  } finally {
    await bare.stop();
    await bySql?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How a request's time, with nothing else under way, grows with the directory. Times in milliseconds. */
export interface GrowthFigures {
  readonly scenario: string;
  readonly smallP50: number;
  readonly largeP50: number;
  /** The median of each round's own ratio. */
  readonly ratio: number;
}

/** A server and what its directory is asked with. */
export interface Directory {
  readonly served: Served;
  readonly users: number;
  readonly token: string;
}

/** One connection, to the small directory and to the large one in turns. */
export async function measureGrowth(
  scenario: Scenario,
  small: Directory,
  large: Directory,
  seconds: number,
): Promise<GrowthFigures> {
  const walkOf = ({ served, users, token }: Directory) =>
    createWalk(served, scenario.requests(users, token), 1);
  const askSmall = walkOf(small);
  const askLarge = walkOf(large);
  await askSmall(1);
  await askLarge(1);
  const smalls: number[] = [];
  const larges: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    smalls.push((await askSmall(seconds)).p50);
    larges.push((await askLarge(seconds)).p50);
  }
  return {
    scenario: scenario.name,
    smallP50: median(smalls),
    largeP50: median(larges),
    ratio: median(larges.map((each, at) => each / (smalls[at] ?? Number.NaN))),
  };
}

/** The whole directory in one answer. Memory in MB of 1,000,000 bytes. */
export interface DirectoryFigures {
  readonly users: number;
  readonly megabytes: number;
  readonly megabytesPerSecond: number;
  /** Of a server that was just started. */
  readonly idleMegabytes: number;
  readonly peakMegabytes: number;
  /** The same once more: from what the server has settled at after the first answer. */
  readonly againMegabytesPerSecond: number;
  readonly againIdleMegabytes: number;
  readonly againPeakMegabytes: number;
}

async function readWhole(served: Served, token: string) {
  const idle = memoryOf(served.pid, 'VmRSS');
  // The highest value is reset (proc_pid_clear_refs(5)); the kernel then keeps it exactly, with no sampling.
  writeFileSync(`/proc/${served.pid}/clear_refs`, '5');
  const start = performance.now();
  const bytes = await new Promise<number>((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    get(`${served.url}/user_management/v1/users`, { headers }, (response) => {
      let length = 0;
      response.on('data', (chunk: Buffer) => {
        length += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () => resolve(length));
    }).on('error', reject);
  });
  const seconds = (performance.now() - start) / 1000;
  return { idle, peak: memoryOf(served.pid, 'VmHWM'), megabytes: bytes / 1e6, seconds };
}

/** Asks a server that nobody has asked anything yet for the whole directory, twice. */
export async function measureDirectory({ served, users, token }: Directory): Promise<DirectoryFigures> {
  const first = await readWhole(served, token);
  const again = await readWhole(served, token);
  return {
    users,
    megabytes: first.megabytes,
    megabytesPerSecond: first.megabytes / first.seconds,
    idleMegabytes: first.idle,
    peakMegabytes: first.peak,
    againMegabytesPerSecond: again.megabytes / again.seconds,
    againIdleMegabytes: again.idle,
    againPeakMegabytes: again.peak,
  };
}

/** Imports by the wall clock, in seconds. */
export interface ImportFigures {
  readonly users: number;
  readonly megabytes: number;
  readonly seconds: number;
  /** What importing a single user takes: the process, the store, its end. */
  readonly secondsForOne: number;
  readonly usersPerSecond: number;
  readonly usersPerSecondBesides: number;
}

/** Loads an export of the directory into fresh stores, as a user would. */
export async function measureImport(data: string, users: number): Promise<ImportFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const timeImport = async (name: string, lines: string | Buffer): Promise<number> => {
    const file = join(folder, `${name}.jsonl`);
    const fresh = join(folder, name);
    writeFileSync(file, lines);
    await rollcall(['contact-center', 'create', 'fresh', '--data', fresh]);
    const start = performance.now();
    await rollcall(['import', file, '--contact-center', 'fresh', '--data', fresh]);
    const seconds = (performance.now() - start) / 1000;
    rmSync(fresh, { recursive: true });
    return seconds;
  };
  try {
    const file = join(folder, 'export.jsonl');
    await rollcall(['export', '--contact-center', 'demo', '--data', data, '--output', file]);
    const all = readFileSync(file);
    const one = all.subarray(0, all.indexOf('\n') + 1);
    const whole: number[] = [];
    const single: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      single.push(await timeImport(`one-${round}`, one));
      whole.push(await timeImport(`all-${round}`, all));
    }
    const seconds = median(whole);
    const secondsForOne = median(single);
    return {
      users,
      megabytes: all.length / 1e6,
      seconds,
      secondsForOne,
      usersPerSecond: users / seconds,
      usersPerSecondBesides: users / (seconds - secondsForOne),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** From the start of the process to its first 200 on /readyz, in milliseconds: the median of some starts. */
export async function measureReady(data: string, log: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const served = await serveRollcall(data, log);
    times.push(served.readyAfter);
    await served.stop();
  }
  return median(times);
}

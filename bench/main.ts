import { createHash } from 'node:crypto';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import {
  type DirectoryFigures,
  type ImportFigures,
  measureDirectory,
  measureImport,
  measureScenario,
  type ScenarioFigures,
} from './measures.ts';
import { rollcall, serveRollcall } from './processes.ts';
import { SCENARIOS } from './scenarios.ts';

const SMALL = 100_000;
const LARGE = 1_000_000;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Data folders are kept between runs, as long as the program that wrote them is the same. */
async function prepareData(users: number, isFresh: boolean): Promise<string> {
  const hash = createHash('sha256');
  for (const file of globSync('src/{directory,store,access}/**/*.ts').sort()) hash.update(readFileSync(file));
  const data = join(tmpdir(), 'rollcall-bench-data', `${users}-${hash.digest('hex').slice(0, 12)}`);
  if (isFresh) rmSync(data, { recursive: true, force: true });
  if (!existsSync(join(data, 'whole'))) {
    say(`making ${users} users in ${data}`);
    rmSync(data, { recursive: true, force: true });
    await rollcall(['demo', '--users', String(users), '--data', data], true);
    writeFileSync(join(data, 'whole'), '');
  }
  return data;
}

interface Results {
  readonly machine: string;
  readonly node: string;
  readonly at: string;
  readonly seconds: number;
  readonly scenarios: ScenarioFigures[];
  readonly directories: DirectoryFigures[];
  readonly ready: { users: number; milliseconds: number }[];
  import: ImportFigures | null;
}

async function measure(
  users: number,
  options: { fresh: boolean; seconds: number; only?: string },
  results: Results,
) {
  const data = await prepareData(users, options.fresh);
  const token = JSON.parse(
    await rollcall([
      'token',
      'create',
      '--contact-center',
      'demo',
      '--name',
      'bench',
      '--data',
      data,
      '--json',
    ]),
  ).token;
  const served = await serveRollcall(data, join(data, 'requests.log'));
  try {
    results.ready.push({ users, milliseconds: served.readyAfter });
    if (options.only === undefined) {
      say(`${users}: whole directory`);
      results.directories.push(await measureDirectory(served, users, token));
    }
    for (const scenario of SCENARIOS) {
      if (options.only !== undefined && !scenario.name.includes(options.only)) continue;
      say(`${users}: ${scenario.name}`);
      results.scenarios.push(await measureScenario(scenario, served, users, token, options.seconds));
    }
  } finally {
    await served.stop();
  }
  if (users === SMALL && options.only === undefined) {
    say(`${users}: import`);
    results.import = await measureImport(data, users);
  }
}

interface Verdict {
  readonly what: string;
  readonly wanted: string;
  readonly found: string;
  readonly isMet: boolean;
}

function judge(results: Results): Verdict[] {
  const verdicts: Verdict[] = [];
  const find = (scenario: string, users: number) =>
    results.scenarios.find((each) => each.scenario === scenario && each.users === users);
  for (const scenario of SCENARIOS) {
    const small = find(scenario.name, SMALL);
    const large = find(scenario.name, LARGE);
    if (scenario.leastRatio !== null && small !== undefined) {
      verdicts.push({
        what: `${scenario.name}, share of the bare server`,
        wanted: `>= ${scenario.leastRatio}`,
        found: small.ratio.toFixed(2),
        isMet: small.ratio >= scenario.leastRatio,
      });
    }
    if (scenario.isKeyed && small !== undefined && large !== undefined) {
      const growth = large.p50 / small.p50;
      verdicts.push({
        what: `${scenario.name}, p50 at 1,000,000 to that at 100,000`,
        wanted: '<= 1.3',
        found: growth.toFixed(2),
        isMet: growth <= 1.3,
      });
    }
  }
  for (const { users, idleMegabytes, peakMegabytes } of results.directories) {
    const more = peakMegabytes - idleMegabytes;
    verdicts.push({
      what: `whole directory of ${users}, memory over idle`,
      wanted: '< 60 MB',
      found: `${more.toFixed(0)} MB`,
      isMet: more < 60,
    });
  }
  if (results.import !== null) {
    const { usersPerSecond } = results.import;
    verdicts.push({
      what: `import of ${results.import.users}`,
      wanted: '>= 20000 users/s',
      found: `${usersPerSecond.toFixed(0)} users/s`,
      isMet: usersPerSecond >= 20_000,
    });
  }
  const large = results.ready.find((each) => each.users === LARGE);
  if (large !== undefined) {
    verdicts.push({
      what: 'start to ready with 1,000,000 users',
      wanted: '<= 1000 ms',
      found: `${large.milliseconds.toFixed(0)} ms`,
      isMet: large.milliseconds <= 1000,
    });
  }
  return verdicts;
}

function show(results: Results, verdicts: readonly Verdict[]): void {
  console.table(
    results.scenarios.map((each) => ({
      scenario: each.scenario,
      users: each.users,
      bytes: each.bytes,
      'req/s': Math.round(each.perSecond),
      'bare req/s': Math.round(each.barePerSecond),
      ratio: Number(each.ratio.toFixed(3)),
      'p50 ms': Number(each.p50.toFixed(3)),
      'p99 ms': Number(each.p99.toFixed(3)),
      bad: each.bad,
    })),
  );
  console.table(
    results.directories.map((each) => ({
      'whole directory': each.users,
      MB: Math.round(each.megabytes),
      'MB/s': Math.round(each.megabytesPerSecond),
      'idle MB': Math.round(each.idleMegabytes),
      'peak MB': Math.round(each.peakMegabytes),
    })),
  );
  console.table(verdicts.map(({ isMet, ...rest }) => ({ ...rest, met: isMet ? 'yes' : 'NO' })));
}

const options = new Command('bench')
  .description('Measures Rollcall over loopback, against a bare node:http server that sends the same bytes.')
  .option('--users <n>', 'only this size: 100000 or 1000000', Number)
  .option('--seconds <n>', 'length of each round', Number, 4)
  .option('--only <text>', 'only scenarios whose name holds this text')
  .option('--fresh', 'make the data anew', false)
  .parse()
  .opts<{ users?: number; seconds: number; only?: string; fresh: boolean }>();

const results: Results = {
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  node: process.version,
  at: new Date().toISOString(),
  seconds: options.seconds,
  scenarios: [],
  directories: [],
  ready: [],
  import: null,
};
for (const users of options.users === undefined ? [SMALL, LARGE] : [options.users]) {
  await measure(users, options, results);
}
const verdicts = judge(results);
show(results, verdicts);
const folder = join(import.meta.dirname, 'results');
mkdirSync(folder, { recursive: true });
const file = join(folder, `${results.at.replaceAll(':', '').slice(0, 17)}.json`);
writeFileSync(file, `${JSON.stringify({ ...results, verdicts }, null, 2)}\n`);
say(`written to ${file}`);

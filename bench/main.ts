/** `npm run bench`: measures Rollcall over loopback, says which targets it reaches, and keeps the figures. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { mintToken, prepareData } from './data.ts';
import {
  type Directory,
  measureDirectory,
  measureGrowth,
  measureImport,
  measureReady,
  measureScenario,
} from './measures.ts';
import { serveRollcall } from './processes.ts';
import { judge, LARGE, type Results, SMALL, show } from './report.ts';
import { SCENARIOS } from './scenarios.ts';

interface Options {
  readonly users?: number;
  readonly seconds: number;
  readonly only?: string;
  readonly fresh: boolean;
}

const RESULTS = join(import.meta.dirname, 'results');
const startedAt = performance.now();

function say(text: string): void {
  const seconds = (performance.now() - startedAt) / 1000;
  process.stderr.write(`${seconds.toFixed(0).padStart(4)} s  ${text}\n`);
}

/** Runs work on a served directory. The server is stopped and its log removed whatever happens. */
async function withServer(
  data: string,
  users: number,
  work: (directory: Directory) => Promise<void>,
): Promise<void> {
  const token = await mintToken(data);
  const log = join(tmpdir(), `rollcall-bench-${process.pid}-${users}.log`);
  const served = await serveRollcall(data, log);
  try {
    await work({ served, users, token });
  } finally {
    await served.stop();
    rmSync(log, { force: true });
  }
}

async function measureSize(users: number, data: string, options: Options, results: Results): Promise<void> {
  if (options.only === undefined) {
    say(`${users} users: start to ready`);
    const log = join(tmpdir(), `rollcall-bench-${process.pid}-ready.log`);
    results.ready.push({ users, milliseconds: await measureReady(data, log) });
    rmSync(log, { force: true });
  }
  await withServer(data, users, async (directory) => {
    if (options.only === undefined) {
      say(`${users} users: whole directory`);
      results.directories.push(await measureDirectory(directory));
    }
    for (const scenario of scenariosOf(options)) {
      say(`${users} users: ${scenario.name}`);
      const { served, token } = directory;
      results.scenarios.push(await measureScenario(scenario, served, users, token, options.seconds));
    }
  });
  if (users === SMALL && options.only === undefined) {
    say(`${users} users: import`);
    results.import = await measureImport(data, users);
  }
}

function scenariosOf({ only = '' }: Options) {
  const found = SCENARIOS.filter(({ name }) => name.toLowerCase().includes(only.toLowerCase()));
  if (found.length > 0) return found;
  throw new Error(`no scenario holds "${only}"; there are: ${SCENARIOS.map(({ name }) => name).join('; ')}`);
}

async function run(options: Options): Promise<void> {
  scenariosOf(options);
  const results: Results = {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1e9)} GB`,
    system: `${type()} ${release()}`,
    node: process.version,
    at: new Date().toISOString(),
    secondsPerRound: options.seconds,
    scenarios: [],
    growth: [],
    directories: [],
    ready: [],
    import: null,
  };
  const sizes = options.users === undefined ? [SMALL, LARGE] : [options.users];
  const folders = new Map<number, string>();
  for (const users of sizes) folders.set(users, await prepareData(users, options.fresh, say));
  for (const [users, data] of folders) await measureSize(users, data, options, results);
  const small = folders.get(SMALL);
  const large = folders.get(LARGE);
  if (small !== undefined && large !== undefined) {
    await withServer(small, SMALL, (fewer) =>
      withServer(large, LARGE, async (more) => {
        for (const scenario of scenariosOf(options).filter(({ isKeyed }) => isKeyed)) {
          say(`${SMALL} and ${LARGE} users: ${scenario.name}`);
          results.growth.push(await measureGrowth(scenario, fewer, more, options.seconds));
        }
      }),
    );
  }
  const verdicts = judge(results);
  show(results, verdicts);
  mkdirSync(RESULTS, { recursive: true });
  const file = join(RESULTS, `${results.at.replaceAll(':', '').slice(0, 17)}.json`);
  writeFileSync(file, `${JSON.stringify({ ...results, verdicts }, null, 2)}\n`);
  say(`written to ${file}`);
}

function readSize(text: string): number {
  const size = Number(text);
  if (size === SMALL || size === LARGE) return size;
  throw new InvalidArgumentError(`give ${SMALL} or ${LARGE}`);
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1) return seconds;
  throw new InvalidArgumentError('give a whole number from 1');
}

const command = new Command('bench')
  .description('Measures Rollcall over loopback, against a bare node:http server that sends the same bytes.')
  .option('--users <n>', `only this size: ${SMALL} or ${LARGE}`, readSize)
  .option('--seconds <n>', 'length of a round; each scenario has three on each server', readSeconds, 3)
  .option('--only <text>', 'only scenarios whose name holds this text')
  .option('--fresh', 'make the data anew', false);

try {
  await run(command.parse().opts<Options>());
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

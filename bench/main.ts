/** `npm run bench`: measures Rollcall over loopback, says which targets it reaches, and keeps the figures. */
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { mintToken, prepareData } from './data.ts';
import { measureLetting } from './letting.ts';
import {
  type Directory,
  measureDirectory,
  measureGrowth,
  measureImport,
  measureReady,
  measureScenario,
} from './measures.ts';
import { measurePlaying } from './playing.ts';
import { serveRollcall } from './processes.ts';
import { measurePages, measureTakingIn } from './recordings.ts';
import {
  judge,
  keep,
  LARGE,
  type Measured,
  type Results,
  SMALL,
  say,
  show,
  showVerdicts,
  surroundings,
  type Verdict,
} from './report.ts';
import { SCENARIOS } from './scenarios.ts';

interface Options {
  readonly users?: number;
  readonly seconds: number;
  readonly only?: string;
  readonly fresh: boolean;
  /** A part, or true for all of them. */
  readonly recordings?: string | true;
}

/** What is measured of recordings, each with data of its own. */
const PARTS: Readonly<Record<string, () => Promise<Measured>>> = {
  pages: measurePages,
  playing: measurePlaying,
  'taking-in': measureTakingIn,
  letting: measureLetting,
};

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
    ...surroundings(),
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
  keep({ ...results, verdicts });
}

/** Recordings: every part or one of them, and one file of what was found. */
async function runRecordings(part: string | true): Promise<void> {
  const figures: Record<string, unknown> = {};
  const verdicts: Verdict[] = [];
  for (const [name, measure] of Object.entries(PARTS)) {
    if (part !== true && part !== name) continue;
    const measured = await measure();
    figures[name] = measured.figures;
    verdicts.push(...measured.verdicts);
  }
  console.log(JSON.stringify(figures, null, 2));
  showVerdicts(verdicts);
  keep({ ...surroundings(), ...figures, verdicts }, '-recordings');
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
  .option('--fresh', 'make the data anew', false)
  .addOption(
    new Option('--recordings [part]', 'recordings alone: all, or one part').choices(Object.keys(PARTS)),
  );

try {
  const options = command.parse().opts<Options>();
  if (options.recordings !== undefined) await runRecordings(options.recordings);
  else {
    await run(options);
    // Whoever asks for a part of the directory has no need of them.
    if (options.users === undefined && options.only === undefined) await runRecordings(true);
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

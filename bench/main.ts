/** `npm run bench`: measures Rollcall over loopback, says which targets it reaches, and keeps the figures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { PostgresServer } from '../test/postgres/server.ts';
import { mintToken, prepareData } from './data.ts';
import { measureLetting } from './letting.ts';
import type { LoadRequest } from './load.ts';
import {
  type Directory,
  measureDirectory,
  measureGrowth,
  measureImport,
  measureReady,
  measureScenario,
} from './measures.ts';
import { measurePlaying } from './playing.ts';
import { rollcall, serveRollcall } from './processes.ts';
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
import { takeDownSql } from './sql-of.ts';

interface Options {
  readonly engine: 'sqlite' | 'postgres';
  readonly users?: readonly number[];
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

/** Where a directory is: in a folder, or in a database beside it. */
interface Stored {
  readonly users: number;
  readonly data: string;
  readonly databaseUrl?: string;
}

/** Which store the commands and servers that are started from now on have. */
function useStore({ databaseUrl }: Pick<Stored, 'databaseUrl'>): void {
  if (databaseUrl === undefined) delete process.env.ROLLCALL_DATABASE_URL;
  else process.env.ROLLCALL_DATABASE_URL = databaseUrl;
}

async function measureSize(stored: Stored, options: Options, results: Results): Promise<void> {
  const { users, data, databaseUrl } = stored;
  useStore(stored);
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
      const sqlOf =
        databaseUrl === undefined
          ? undefined
          : (requests: readonly LoadRequest[]) => takeDownSql(databaseUrl, requests);
      results.scenarios.push(await measureScenario(scenario, served, users, token, options.seconds, sqlOf));
    }
  });
  // Its fresh stores are files.
  if (users === SMALL && options.only === undefined && databaseUrl === undefined) {
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
  if (options.engine === 'sqlite') {
    return measure(options, async (users) => ({ users, data: await prepareData(users, options.fresh, say) }));
  }
  // Loaded anew each time: the server and all that it has go when this ends.
  const server = await PostgresServer.start('shared_buffers=1GB', 'max_wal_size=8GB');
  const data = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  try {
    await measure(options, async (users) => {
      const stored = { users, data, databaseUrl: await server.makePlace() };
      useStore(stored);
      say(`making ${users} users in PostgreSQL`);
      await rollcall(['demo', '--users', String(users), '--data', data], true);
      // As whoever serves it later would find it: without what loading left behind.
      await server.query('vacuum');
      return stored;
    });
  } finally {
    await server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

async function measure(options: Options, prepare: (users: number) => Promise<Stored>): Promise<void> {
  const results: Results = {
    engine: options.engine,
    ...surroundings(),
    secondsPerRound: options.seconds,
    scenarios: [],
    growth: [],
    directories: [],
    ready: [],
    import: null,
  };
  const sizes = options.users ?? (options.engine === 'sqlite' ? [SMALL, LARGE] : [SMALL]);
  const stores: Stored[] = [];
  for (const users of sizes) stores.push(await prepare(users));
  for (const stored of stores) await measureSize(stored, options, results);
  const [small, large] = [stores[0], stores.at(-1)];
  if (small !== undefined && large !== undefined && small !== large) {
    useStore(small);
    await withServer(small.data, small.users, (fewer) => {
      useStore(large);
      return withServer(large.data, large.users, async (more) => {
        for (const scenario of scenariosOf(options).filter(({ isKeyed }) => isKeyed)) {
          say(`${small.users} and ${large.users} users: ${scenario.name}`);
          results.growth.push(await measureGrowth(scenario, fewer, more, options.seconds));
        }
      });
    });
  }
  useStore({});
  const verdicts = judge(results);
  show(results, verdicts);
  keep({ ...results, verdicts }, options.engine === 'sqlite' ? '' : `-${options.engine}`);
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

function readSizes(text: string): number[] {
  const sizes = text.split(',').map(Number);
  const isGood = sizes.every(
    (size, at) => Number.isInteger(size) && size >= 1000 && size > (sizes[at - 1] ?? 0),
  );
  if (isGood) return sizes;
  throw new InvalidArgumentError('give whole numbers from 1000, the fewest first');
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (Number.isInteger(seconds) && seconds >= 1) return seconds;
  throw new InvalidArgumentError('give a whole number from 1');
}

const command = new Command('bench')
  .description('Measures Rollcall over loopback, against a bare node:http server that sends the same bytes.')
  .addOption(
    new Option('--engine <name>', 'what keeps the directory')
      .choices(['sqlite', 'postgres'])
      .default('sqlite'),
  )
  .option(
    '--users <list>',
    `sizes; growth is measured from the first to the last (default: ${SMALL},${LARGE}; PostgreSQL: ${SMALL})`,
    readSizes,
  )
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
    // Whoever asks for a part of the directory has no need of them; they are measured over files.
    if (options.engine === 'sqlite' && options.users === undefined && options.only === undefined)
      await runRecordings(true);
  }
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

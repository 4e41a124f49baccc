import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken } from './data.ts';
import type { LoadRequest } from './load.ts';
import { median, type Side } from './measures.ts';
import { load, memoryOf, rollcall, type Served, serveBareFiles, serveRollcall } from './processes.ts';
import { type Measured, say } from './report.ts';

const FILES = 20;
const FILE_BYTES = 3_000_000;
const LONG_BYTES = 1_000_000_000;
const RANGE_BYTES = 65_536;
const PLAYERS = 50;
/** How long the players listen, in milliseconds, and how much each of them takes in a second. */
const LISTEN = 10_000;
const PACE = 4_000_000;
const CONNECTIONS = 8;
const SECONDS = 3;
const ROUNDS = 5;

const megabytes = (bytes: number) => Math.round(bytes / 1e5) / 10;

/** A WAV file (8 kHz, 8 bits, mono) of so many bytes: noise where it is short, holes where it is long. */
function writeWav(file: string, bytes: number, seed: number): void {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(bytes - 8, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  for (const [at, value] of [16, 0x10001, 8000, 8000, 0x80001].entries())
    head.writeUInt32LE(value, 16 + 4 * at);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(bytes - 44, 40);
  const descriptor = openSync(file, 'w');
  writeSync(descriptor, head);
  ftruncateSync(descriptor, bytes);
  if (bytes <= FILE_BYTES) {
    const samples = Buffer.allocUnsafe(bytes - 44);
    for (let at = 0; at < samples.length; at += 1) samples[at] = (at * 31 + (at >> 7) * seed) & 255;
    writeSync(descriptor, samples, 0, samples.length, 44);
  }
  closeSync(descriptor);
}

interface Entry {
  readonly url: string;
}

/** Paths of signed links, the longest recording last. */
async function findLinks(served: Served, token: string): Promise<string[]> {
  const query = new URLSearchParams({ auth_token: token, user: 'ann@bench.example', limit: '100' });
  const answer = await fetch(`${served.url}/v1/users/recordings?${query}`);
  const { data } = (await answer.json()) as { data: { entries: Entry[] } };
  return data.entries.map(({ url }) => new URL(url).pathname + new URL(url).search);
}

const sideOf = (rounds: readonly Side[]): Side => ({
  perSecond: median(rounds.map((each) => each.perSecond)),
  p50: median(rounds.map((each) => each.p50)),
  p99: median(rounds.map((each) => each.p99)),
});

/** Rollcall and the bare server in turns, each asked for the same files in the same ranges. */
async function compare(
  name: string,
  ours: { readonly served: Served; readonly paths: readonly string[] },
  theirs: { readonly served: Served; readonly paths: readonly string[] },
  rangeOf: (at: number) => string | null,
) {
  const requestsOf = (paths: readonly string[]): LoadRequest[] =>
    Array.from({ length: 2000 }, (_, at) => {
      const range = rangeOf(at);
      return {
        method: 'GET',
        path: paths[at % paths.length] ?? '',
        ...(range === null ? {} : { headers: { range } }),
      };
    });
  const ask = async ({ served, paths }: typeof ours, seconds: number) =>
    load({ url: served.url, connections: CONNECTIONS, seconds, requests: requestsOf(paths), from: 0 });
  say(name);
  await ask(ours, 1);
  await ask(theirs, 1);
  const [mine, bare]: [Side[], Side[]] = [[], []];
  let bad = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const figures = await ask(ours, SECONDS);
    bad += figures.bad;
    mine.push(figures);
    bare.push(await ask(theirs, SECONDS));
  }
  const ratio = median(mine.map((each, at) => each.perSecond / (bare[at]?.perSecond ?? Number.NaN)));
  return { name, rollcall: sideOf(mine), bare: sideOf(bare), ratio, bad };
}

/** One player: takes a stretch of the file at a steady pace, leaving what comes faster to wait. */
function listen(served: Served, path: string, first: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { range: `bytes=${first}-` };
    const request = get(`${served.url}${path}`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 206) reject(new Error(`a player got ${response.statusCode}`));
      const start = performance.now();
      let taken = 0;
      response.on('data', (chunk: Buffer) => {
        taken += chunk.length;
        const ahead = taken / PACE - (performance.now() - start) / 1000;
        if (ahead <= 0.05) return;
        response.pause();
        setTimeout(() => response.resume(), ahead * 1000);
      });
      response.on('error', () => {});
      setTimeout(() => {
        resolve(taken);
        request.destroy();
      }, LISTEN);
    });
    request.on('error', () => {});
  });
}

async function measurePlayers(served: Served, path: string) {
  say(`${PLAYERS} players on one file of ${megabytes(LONG_BYTES)} MB`);
  const idle = memoryOf(served.pid, 'VmRSS');
  writeFileSync(`/proc/${served.pid}/clear_refs`, '5');
  const firsts = Array.from({ length: PLAYERS }, (_, at) => at * 1_000_000);
  const taken = await Promise.all(firsts.map((first) => listen(served, path, first)));
  return {
    players: PLAYERS,
    idleMegabytes: idle,
    peakMegabytes: memoryOf(served.pid, 'VmHWM'),
    megabytesEach: megabytes(Math.min(...taken)),
  };
}

/** Ranges, whole files, and many players at once, against the bare server where there is one to hold against. */
export async function measurePlaying(): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const files = join(folder, 'files');
  const data = join(folder, 'data');
  try {
    say(`making ${FILES} files of 3 MB and one of ${megabytes(LONG_BYTES)} MB`);
    mkdirSync(files);
    const people = join(folder, 'people.jsonl');
    writeFileSync(people, '{"email":"ann@bench.example"}\n');
    await rollcall(['contact-center', 'create', 'demo', '--data', data]);
    await rollcall(['import', people, '--contact-center', 'demo', '--data', data]);
    const started = Date.now() - 86_400_000;
    for (let at = 0; at <= FILES; at += 1) {
      const file = join(files, String(at));
      writeWav(file, at === FILES ? LONG_BYTES : FILE_BYTES, at + 1);
      await rollcall([
        ...['recordings', 'add', file, '--contact-center', 'demo', '--user', 'ann@bench.example'],
        ...['--started', new Date(started + at * 1000).toISOString(), '--data', data],
      ]);
    }
    const token = await mintToken(data);
    const served = await serveRollcall(data, join(folder, 'log'));
    const bare = await serveBareFiles(files);
    try {
      const links = await findLinks(served, token);
      const players = await measurePlayers(served, links[FILES] ?? '');
      const ours = { served, paths: links.slice(0, FILES) };
      const theirs = { served: bare, paths: ours.paths.map((_, at) => `/${at}`) };
      const ranges = await compare('ranges of 64 KiB', ours, theirs, (at) => {
        const first = (at * 7919 * 13) % (FILE_BYTES - RANGE_BYTES);
        return `bytes=${first}-${first + RANGE_BYTES - 1}`;
      });
      const whole = await compare('whole files of 3 MB', ours, theirs, () => null);
      const more = players.peakMegabytes - players.idleMegabytes;
      const verdicts = [
        ...[ranges, whole].map(({ name, ratio }) => ({
          what: `${name}: share of the bare server`,
          wanted: '>= 0.80',
          found: ratio.toFixed(2),
          isMet: ratio >= 0.8,
        })),
        {
          what: `${PLAYERS} players: memory over idle`,
          wanted: '< 100 MB',
          found: `${more.toFixed(0)} MB`,
          isMet: more < 100,
        },
        {
          what: 'answers that were not 200 or 206',
          wanted: '0',
          found: String(ranges.bad + whole.bad),
          isMet: ranges.bad + whole.bad === 0,
        },
      ];
      return { figures: { ranges, whole, players }, verdicts };
    } finally {
      await served.stop();
      await bare.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

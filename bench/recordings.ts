/** `npm run bench:recordings`: pages of recordings among few and many, and taking small files in. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { mintToken } from './data.ts';
import { type Directory, measureGrowth, measureScenario, median } from './measures.ts';
import { rollcall, serveRollcall } from './processes.ts';
import { prepareRecordings, USER_AND_DAY } from './recordings-data.ts';

const [FEW, MANY] = [10_000, 1_000_000];
const FILES = 10_000;
const SECONDS = 5;
const ROUNDS = 3;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Runs work on a served store, and stops the server whatever happens. */
async function withServer<T>(
  data: string,
  recordings: number,
  work: (directory: Directory) => Promise<T>,
): Promise<T> {
  const token = await mintToken(data);
  const log = join(tmpdir(), `rollcall-bench-${process.pid}-${recordings}.log`);
  const served = await serveRollcall(data, log);
  try {
    return await work({ served, users: recordings, token });
  } finally {
    await served.stop();
    rmSync(log, { force: true });
  }
}

/** A short call of a second and a half at 8 kHz, 8 bits a sample: 12 KB, no two alike. */
function shortCall(number: number): Buffer {
  const samples = Buffer.alloc(12_000, 128);
  samples.writeUInt32LE(number, 0);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  for (const [at, value] of [16, 0x10001, 8000, 8000, 0x80001].entries()) {
    head.writeUInt32LE(value, 16 + 4 * at);
  }
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Files that were taken in per second, by the clock and besides what taking one in takes. */
async function measureTakingIn(): Promise<{ perSecond: number; besides: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'rollcall-bench-'));
  const files = join(folder, 'files');
  mkdirSync(files);
  const rows = Array.from({ length: FILES }, (_, at) => {
    const file = `${at + 1}.wav`;
    writeFileSync(join(files, file), shortCall(at));
    return JSON.stringify({ file, user: 'ann@bench.example', startedAt: '2026-01-05T08:00:00Z' });
  });
  const take = async (name: string, count: number): Promise<number> => {
    const data = join(folder, name);
    const flags = ['--contact-center', 'north', '--data', data];
    const people = join(folder, 'people.jsonl');
    writeFileSync(people, '{"email":"ann@bench.example"}\n');
    const manifest = join(folder, 'manifest.jsonl');
    writeFileSync(manifest, `${rows.slice(0, count).join('\n')}\n`);
    await rollcall(['contact-center', 'create', 'north', '--data', data]);
    await rollcall(['import', people, ...flags]);
    const start = performance.now();
    await rollcall(['recordings', 'import', manifest, '--media', files, ...flags]);
    const seconds = (performance.now() - start) / 1000;
    rmSync(data, { recursive: true });
    return seconds;
  };
  try {
    const [one, all]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      one.push(await take(`one-${round}`, 1));
      all.push(await take(`all-${round}`, FILES));
    }
    return { perSecond: FILES / median(all), besides: (FILES - 1) / (median(all) - median(one)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

say(`taking in ${FILES} files`);
const taking = await measureTakingIn();
say(`making ${FEW} and ${MANY} recordings`);
const [few, many] = [await prepareRecordings(FEW), await prepareRecordings(MANY)];
try {
  const found = await withServer(few, FEW, (fewer) =>
    withServer(many, MANY, async (more) => {
      say('a page, against the bare server');
      const share = await measureScenario(USER_AND_DAY, more.served, MANY, more.token, SECONDS);
      say('a page among few and among many');
      return { share, growth: await measureGrowth(USER_AND_DAY, fewer, more, SECONDS) };
    }),
  );
  const verdicts = [
    {
      what: 'page: share of the bare server',
      wanted: '>= 0.20',
      found: found.share.ratio.toFixed(2),
      isMet: found.share.ratio >= 0.2,
    },
    {
      what: `page: p50 among ${MANY} to that among ${FEW}`,
      wanted: '<= 1.5',
      found: found.growth.ratio.toFixed(2),
      isMet: found.growth.ratio <= 1.5,
    },
    {
      what: 'answers that were not 200',
      wanted: '0',
      found: String(found.share.bad),
      isMet: found.share.bad === 0,
    },
  ];
  const results = {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1e9)} GB`,
    system: `${type()} ${release()}`,
    node: process.version,
    at: new Date().toISOString(),
    taking: { files: FILES, ...taking },
    ...found,
    verdicts,
  };
  console.log(JSON.stringify(results, null, 2));
  console.table(verdicts);
  const folder = join(import.meta.dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${results.at.replaceAll(':', '').slice(0, 17)}-recordings.json`);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  say(`written to ${file}`);
} finally {
  for (const folder of [few, many]) rmSync(folder, { recursive: true, force: true });
}

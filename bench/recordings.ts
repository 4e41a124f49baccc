import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken } from './data.ts';
import { type Directory, measureGrowth, measureScenario, median, type ScenarioFigures } from './measures.ts';
import { rollcall, serveRollcall } from './processes.ts';
import { prepareRecordings, USER_AND_DAY, USER_AND_DAY_AGAIN } from './recordings-data.ts';
import { type Measured, say, type Verdict } from './report.ts';

const [FEW, MANY] = [10_000, 1_000_000];
const FILES = 10_000;
const SECONDS = 5;
const ROUNDS = 3;

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

/** Files that are taken in per second, by the clock and besides what taking one in takes. */
export async function measureTakingIn(): Promise<Measured> {
  say(`taking in ${FILES} files`);
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
    const perSecond = FILES / median(all);
    const besides = (FILES - 1) / (median(all) - median(one));
    return { figures: { files: FILES, perSecond, besides }, verdicts: [] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A page of a user's day among many recordings, against the bare server, and among few. */
export async function measurePages(): Promise<Measured> {
  say(`making ${FEW} and ${MANY} recordings`);
  const [few, many] = [await prepareRecordings(FEW), await prepareRecordings(MANY)];
  try {
    return await withServer(few, FEW, (fewer) =>
      withServer(many, MANY, async (more) => {
        const shares: ScenarioFigures[] = [];
        for (const scenario of [USER_AND_DAY_AGAIN, USER_AND_DAY]) {
          say(scenario.name);
          shares.push(await measureScenario(scenario, more.served, MANY, more.token, SECONDS));
        }
        say('a page among few and among many');
        const growth = await measureGrowth(USER_AND_DAY, fewer, more, SECONDS);
        const bad = shares.reduce((sum, each) => sum + each.bad, 0);
        const verdicts: Verdict[] = [
          ...shares.map(({ scenario, ratio }) => ({
            what: `${scenario}: share of the bare server`,
            wanted: '>= 0.20',
            found: ratio.toFixed(2),
            isMet: ratio >= 0.2,
          })),
          {
            what: `${USER_AND_DAY.name}: p50 among ${MANY} to that among ${FEW}`,
            wanted: '<= 1.5',
            found: growth.ratio.toFixed(2),
            isMet: growth.ratio <= 1.5,
          },
          { what: 'pages that were not 200', wanted: '0', found: String(bad), isMet: bad === 0 },
        ];
        return { figures: { shares, growth }, verdicts };
      }),
    );
  } finally {
    for (const folder of [few, many]) rmSync(folder, { recursive: true, force: true });
  }
}

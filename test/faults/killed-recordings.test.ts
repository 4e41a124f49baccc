import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { wav } from '../recordings/center.ts';
import { BIN, COMPILED, makeFolder, succeed } from './commands.ts';
import { planKills } from './kills.ts';
import { checkRecordings } from './recordings-check.ts';
import { sweepAll } from './sweep-all.ts';

const CALLS = 300;
/** How many times an import is killed where nobody asks for more. */
const USUAL = 6;
/** About what an import takes until it tells of something, in milliseconds. */
const STARTING = 1500;
/** Recordings that come in before an import is killed, at most: so many whatever the machine is busy with. */
const MOST_MADE = 90;
/** The longest that an import goes on after that, in milliseconds. */
const LONGER = 100;

const countMade = (said: string) => said.match(/^line \d+: recording \d+$/gm)?.length ?? 0;

describe('an import of recordings that is killed', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let data: string;
  let load: string[];
  const checksums: string[] = [];
  before(async () => {
    folder = await makeFolder('killed-recordings');
    data = join(folder.path, 'data');
    const files = join(folder.path, 'files');
    await mkdir(files);
    const rows: string[] = [];
    for (let call = 1; call <= CALLS; call += 1) {
      const audio = wav(randomBytes(2 * (call % 2 === 0 ? 2000 : 60_000)));
      checksums.push(createHash('sha256').update(audio).digest('hex'));
      await writeFile(join(files, `${call}.wav`), audio);
      // The lead tells which file a recording was made of.
      const when = new Date(Date.UTC(2026, 1, 1 + (call % 5))).toISOString();
      rows.push(
        JSON.stringify({ file: `${call}.wav`, user: 'ann@faults.example', startedAt: when, leadId: call }),
      );
    }
    const manifest = join(folder.path, 'manifest.jsonl');
    await writeFile(manifest, `${rows.join('\n')}\n`);
    load = ['recordings', 'import', manifest, '--media', files, '--contact-center', 'north', '--data', data];
    await makeStore();
  });
  after(() => folder.drop());

  async function makeStore(): Promise<void> {
    await rm(data, { recursive: true, force: true });
    await succeed('contact-center', 'create', 'north', '--data', data);
    const people = join(folder.path, 'people.jsonl');
    await writeFile(people, '{"email":"ann@faults.example"}\n');
    await succeed('import', people, '--contact-center', 'north', '--data', data);
  }

  it('keeps what it told of, and ends with each recording once', async (test) => {
    const { count, seed, random } = planKills(USUAL);
    test.diagnostic(`ROLLCALL_SEED=${seed}`);
    const stages: number[] = [];
    const left = { pending: 0, orphans: 0, unfinished: 0 };
    /** Numbers of recordings that were told of, by the call they are of. */
    let told = new Map<number, number>();
    for (let kill = 0; kill < count; kill += 1) {
      const child = spawn(process.execPath, [BIN, ...load], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: COMPILED,
        // One that hangs would be waited for in vain.
        timeout: 120_000,
        killSignal: 'SIGKILL',
      });
      let said = '';
      const ended = once(child, 'close');
      // Some are killed before they have told of anything.
      const wanted = kill % 4 > 0 ? 1 + Math.floor(random() * MOST_MADE) : 0;
      const hasMade = new Promise<void>((resolve) => {
        child.stdout.setEncoding('utf8').on('data', (text) => {
          said += text;
          if (countMade(said) >= wanted) resolve();
        });
      });
      if (wanted > 0) await Promise.race([hasMade, ended]);
      await Promise.race([sleep(random() * (wanted > 0 ? LONGER : STARTING)), ended]);
      child.kill('SIGKILL');
      await ended;

      for (const [, line, number] of said.matchAll(/^line (\d+): (?:known as )?recording (\d+)$/gm)) {
        told.set(Number(line), Number(number));
      }
      const { rows, orphans, unfinished } = checkRecordings(data);
      const byNumber = new Map(rows.map((row) => [row.number, row]));
      for (const [call, number] of told) {
        const row = byNumber.get(number);
        assert.deepEqual([row?.state, row?.lead], ['stored', call], `recording ${number} was told of`);
      }
      for (const { state, lead, sha256 } of rows) {
        if (state === 'stored') assert.equal(sha256, checksums[(lead ?? 0) - 1]);
      }
      const stored = rows.filter(({ state }) => state === 'stored').length;
      stages.push(stored);
      left.pending += rows.length - stored;
      left.orphans += orphans.length;
      left.unfinished += unfinished;
      // Whatever was taken in is known again: start anew now and then, to be killed at any stage.
      if (stored === CALLS) {
        await makeStore();
        told = new Map();
      }
    }
    test.diagnostic(`stored after each of ${count} kills: ${stages.join(', ')}`);
    test.diagnostic(`left behind by them, all in all: ${JSON.stringify(left)}`);

    // What is left over can all be mended, and then nothing is.
    const kinds = new Set<string>();
    for (const finding of await sweepAll(data)) {
      assert.ok(finding.isMended, JSON.stringify(finding));
      kinds.add(finding.kind);
    }
    test.diagnostic(`swept in the end: ${[...kinds].join(', ')}`);
    const swept = checkRecordings(data);
    assert.deepEqual([swept.orphans, swept.unfinished], [[], 0]);
    assert.ok(swept.rows.every(({ state }) => state === 'stored'));
    assert.deepEqual(await sweepAll(data), []);

    const end = JSON.parse(await succeed(...load, '--json'));
    assert.deepEqual([end.made + end.unchanged, end.refused], [CALLS, 0]);
    const { rows, orphans } = checkRecordings(data);
    assert.deepEqual(orphans, []);
    assert.deepEqual(
      rows.map(({ state, lead }) => [state, lead]).sort(([, a], [, b]) => Number(a) - Number(b)),
      Array.from({ length: CALLS }, (_, at) => ['stored', at + 1]),
    );
    assert.equal(JSON.parse(await succeed(...load, '--json')).unchanged, CALLS);
  });
});

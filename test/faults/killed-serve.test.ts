import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveJson } from '../acceptance/server-process.ts';
import { wav } from '../recordings/center.ts';
import { makeFolder, succeed } from './commands.ts';
import { planKills } from './kills.ts';
import { checkLetting } from './letting-check.ts';
import { RecordingsClient } from './recordings-client.ts';
import { sweepAll } from './sweep-all.ts';

/** How many times a server is killed where nobody asks for more. */
const USUAL = 5;
/** The longest that a server works before it is killed, in milliseconds. */
const WORKING = 800;
/** Clients that upload at once, and that let go of what others uploaded. */
const UPLOADERS = 8;
const REMOVERS = 2;
/** So many stay, to be played in the end. */
const LEAST_KEPT = 12;
/** Kills between two sweeps: until then retries find what the kills left. */
const BETWEEN_SWEEPS = 4;

/** What was sent and not answered. */
interface Unanswered {
  readonly key: string;
  readonly audio: Buffer;
}

describe('a server that is killed while it takes recordings in and lets them go', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let data: string;
  let token: string;
  before(async () => {
    folder = await makeFolder('killed-serve');
    data = join(folder.path, 'data');
    const north = ['--contact-center', 'north', '--data', data];
    await succeed('contact-center', 'create', 'north', '--data', data);
    const people = join(folder.path, 'people.jsonl');
    await writeFile(people, '{"email":"ann@faults.example"}\n');
    await succeed('import', people, ...north);
    const scopes = ['--name', 'test', '--scopes', 'recordings:read,recordings:write'];
    token = JSON.parse(await succeed('token', 'create', ...scopes, ...north, '--json')).token;
  });
  after(() => folder.drop());

  it('keeps what it acknowledged, and leaves nothing that a sweep cannot mend', async (test) => {
    const { count, seed, random } = planKills(USUAL);
    test.diagnostic(`ROLLCALL_SEED=${seed}`);
    /** Audio of what was acknowledged and not let go, by number; what is being let go is in neither. */
    const kept = new Map<number, Buffer>();
    const gone = new Set<number>();
    const told = { uploads: 0, deletions: 0, uploadsCut: 0, deletionsCut: 0, retried: 0, swept: 0 };
    const left = { pending: 0, others: 0, leftover: 0 };
    const kinds = new Set<string>();
    let uploads: Unanswered[] = [];
    let deletions: number[] = [];
    let sent = 0;

    /** Does what clients do once they are back: whoever had no answer asks again. */
    async function retry(client: RecordingsClient): Promise<void> {
      const again = [uploads, deletions] as const;
      [uploads, deletions] = [[], []];
      for (const { key, audio } of again[0]) {
        kept.set(await client.upload(audio, key), audio);
        told.retried += 1;
      }
      for (const number of again[1]) {
        await client.remove(number);
        gone.add(number);
        told.retried += 1;
      }
    }

    /** Uploads and removes until the server is gone. */
    async function work(client: RecordingsClient): Promise<void> {
      const upload = async () => {
        for (;;) {
          sent += 1;
          // Large ones are cut off on their way, small ones at whatever comes after.
          const audio = wav(randomBytes(2 * (random() < 0.2 ? 150_000 : 1 + Math.floor(random() * 2000))));
          const key = random() < 0.5 ? `call-${seed}-${sent}` : undefined;
          try {
            kept.set(await client.upload(audio, key), audio);
            told.uploads += 1;
          } catch (error) {
            if (!client.hasGone(error)) throw error;
            told.uploadsCut += 1;
            if (key !== undefined) uploads.push({ key, audio });
            return;
          }
        }
      };
      const remove = async () => {
        for (;;) {
          const numbers = [...kept.keys()];
          const number = numbers[Math.floor(random() * numbers.length)];
          if (number === undefined || numbers.length < LEAST_KEPT) {
            await sleep(5);
            if (!client.isServed) return;
            continue;
          }
          kept.delete(number);
          try {
            await client.remove(number);
            gone.add(number);
            told.deletions += 1;
          } catch (error) {
            if (!client.hasGone(error)) throw error;
            told.deletionsCut += 1;
            deletions.push(number);
            return;
          }
        }
      };
      await Promise.all([
        ...Array.from({ length: UPLOADERS }, upload),
        ...Array.from({ length: REMOVERS }, remove),
      ]);
    }

    async function check(client: RecordingsClient, from: number): Promise<void> {
      for (const [number, audio] of kept) {
        if (number < from) continue;
        assert.ok((await client.play(number))?.equals(audio), `recording ${number} plays as it came`);
      }
      for (const number of gone) {
        if (number >= from) assert.equal(await client.play(number), null, `recording ${number} is gone`);
      }
    }

    async function sweepStopped(): Promise<void> {
      const { rows, others } = checkLetting(data, '');
      left.others += others;
      left.pending += rows.filter(({ state }) => state === 'pending').length;
      left.leftover += rows.filter(({ leftover }) => leftover !== null).length;
      for (const finding of await sweepAll(data)) {
        assert.ok(finding.isMended, JSON.stringify(finding));
        kinds.add(finding.kind);
      }
      assert.deepEqual(await sweepAll(data), []);
      const swept = checkLetting(data, '');
      assert.equal(swept.others, 0);
      assert.ok(swept.rows.every(({ state, leftover }) => state !== 'pending' && leftover === null));
      told.swept += 1;
    }

    let checked = 0;
    for (let kill = 0; kill <= count; kill += 1) {
      const server = await serveJson('--data', data, '--no-rate-limit');
      const client = new RecordingsClient(server.told.address, token);
      await retry(client);
      const isLast = kill === count;
      // In between those of the last round: all of them each time would be most of the work.
      await check(client, isLast ? 0 : checked);
      checked = Math.max(0, ...kept.keys(), ...gone);
      if (isLast) {
        assert.equal((await server.stop()).code, 0);
        break;
      }
      const working = work(client);
      await Promise.race([sleep(random() * WORKING), working]);
      client.isServed = false;
      await server.stop('SIGKILL');
      await working;
      if (kill % BETWEEN_SWEEPS === BETWEEN_SWEEPS - 1 || kill === count - 1) await sweepStopped();
    }
    test.diagnostic(`${count} kills: ${JSON.stringify(told)}`);
    test.diagnostic(`left behind before sweeps: ${JSON.stringify(left)}; swept: ${[...kinds].join(', ')}`);
    assert.ok(told.uploadsCut > 0 && kept.size > 0);
  });
});

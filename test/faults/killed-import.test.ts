import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN, emailOf, makeFolder, people, succeed } from './commands.ts';
import { checkStore, countMade } from './store-check.ts';

/** More than one batch of an import, so that a kill may come between two of them. */
const PEOPLE = 6000;
/** How many times an import is killed; more are asked for by ROLLCALL_KILLS. */
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 6);
const HEAD = 262_144;
/** About what the whole import takes, in milliseconds: kills come before, in and between all batches. */
const LONGEST = 450;

describe('an import that is killed', () => {
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let data: string;
  before(async () => {
    folder = await makeFolder('killed');
    data = join(folder.path, 'data');
    await succeed('contact-center', 'create', 'north', '--data', data);
  });
  after(() => folder.drop());

  /** Starts an import that is fed through stdin; its refusals tell how far it has come. */
  function start() {
    const child = spawn(process.execPath, [BIN, 'import', '-', '--contact-center', 'north', '--data', data], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // One that hangs would be waited for in vain.
      timeout: 120_000,
      killSignal: 'SIGKILL',
    });
    child.stdin.on('error', () => {});
    let told = '';
    child.stderr.on('data', (chunk) => {
      told += chunk;
    });
    return { child, ended: once(child, 'close'), told: () => told };
  }

  it('leaves whole users, keeps what it told of, and ends with everyone once', async (test) => {
    // The last row of a batch is refused: that it is told of says that the batch is kept.
    const bad = (batch: number) => `{"email":"bad${batch}@faults.example","status":"gone"}\n`;
    const batches = [1, 2].map((batch) => {
      const first = (batch - 1) * 3999 + 1;
      return people(first, Math.min(first + 3998, PEOPLE)) + bad(batch);
    });
    const whole = batches.join('');
    let most = 0;
    let partial = 0;
    const stages = new Set<number>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const run = start();
      // More than a pipe holds: once it has gone, the import is reading.
      const isReading = new Promise((resolve) => run.child.stdin.write(whole.slice(0, HEAD), resolve));
      run.child.stdin.end(whole.slice(HEAD));
      await Promise.race([isReading, run.ended]);
      await Promise.race([sleep(Math.random() * LONGEST), run.ended]);
      run.child.kill('SIGKILL');
      await run.ended;

      const there = checkStore(data);
      assert.ok(there.length >= most, `${there.length} users where there were ${most}`);
      const kept = new Set(there);
      const acknowledged = run.told().match(/^line \d+: /gm)?.length ?? 0;
      for (let person = 1; person <= Math.min(acknowledged * 3999, PEOPLE); person += 1) {
        assert.ok(kept.has(emailOf(person)), `person ${person} was told of and is lost`);
      }
      assert.equal(countMade(data), there.length);
      most = there.length;
      if (most > 0 && most < PEOPLE) partial += 1;
      stages.add(most);
      // Whoever is there is there once and known again: start anew now and then to be killed at any stage.
      if (most === PEOPLE && kill < KILLS - 1) {
        await folder.drop();
        await succeed('contact-center', 'create', 'north', '--data', data);
        most = 0;
      }
    }
    test.diagnostic(`${partial} of ${KILLS} kills left a part of the file: ${[...stages].join(', ')}`);
    assert.match(await succeed('doctor', '--data', data), /all is well\n$/);

    const file = join(folder.path, 'people.jsonl');
    await writeFile(file, people(1, PEOPLE));
    const load = ['import', file, '--contact-center', 'north', '--data', data, '--json'];
    const again = JSON.parse(await succeed(...load));
    assert.deepEqual([again.made + again.unchanged, again.changed, again.refused], [PEOPLE, 0, 0]);
    const expected = Array.from({ length: PEOPLE }, (_, at) => emailOf(at + 1)).sort();
    assert.deepEqual(checkStore(data), expected);
    assert.equal(JSON.parse(await succeed(...load)).unchanged, PEOPLE);
  });
});

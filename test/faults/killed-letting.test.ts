import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Database from 'better-sqlite3';
import { BIN, COMPILED, makeFolder, succeed } from './commands.ts';
import { planKills } from './kills.ts';
import { checkLetting } from './letting-check.ts';
import { sweepAll } from './sweep-all.ts';

const RECORDINGS = 600;
/** How many times commands are killed where nobody asks for more. */
const USUAL = 10;
/** About what a command takes from its first write on, and from its start to that, in milliseconds. */
const WORKING = 400;
const STARTING = 1000;

describe('letting recordings go that is killed', () => {
  const { count: kills, seed, random } = planKills(USUAL);
  let folder: Awaited<ReturnType<typeof makeFolder>>;
  let made: string;
  let data: string;
  let archive: string;
  let common: string[];
  before(async () => {
    folder = await makeFolder('killed-letting');
    [made, data, archive] = ['made', 'data', 'archive'].map((name) => join(folder.path, name)) as [
      string,
      string,
      string,
    ];
    common = ['--contact-center', 'demo', '--data', data, '--archive-media', archive];
    await succeed('demo', '--users', '5', '--recordings', String(RECORDINGS), '--data', made);
    const set = (key: string, value: string) =>
      succeed('contact-center', 'set', 'demo', `recordings.${key}`, value, '--data', made);
    await set('retentionDays', '50');
    await set('archiveAfterDays', '20');
    await succeed('recordings', 'hold', '3', '--on', '--contact-center', 'demo', '--data', made);
    await startAnew();
  });
  after(() => folder.drop());

  async function startAnew(): Promise<void> {
    await rm(data, { recursive: true, force: true });
    await rm(archive, { recursive: true, force: true });
    await cp(made, data, { recursive: true });
  }

  /** Resolves when something was written to the store, or `ended` does. */
  async function firstWrite(ended: Promise<unknown>): Promise<void> {
    const db = new Database(join(data, 'rollcall.sqlite'), { readonly: true });
    let isOver = false;
    ended.finally(() => {
      isOver = true;
    });
    try {
      const before = db.pragma('data_version', { simple: true });
      while (!isOver && db.pragma('data_version', { simple: true }) === before) await sleep(2);
    } finally {
      db.close();
    }
  }

  /** Commands that work at the same time, killed all at once. */
  async function runAndKill(commands: readonly (readonly string[])[], isAtWork: boolean): Promise<void> {
    const children = commands.map((args) =>
      spawn(process.execPath, [BIN, 'recordings', ...args, ...common], { stdio: 'ignore', env: COMPILED }),
    );
    const ended = Promise.all(children.map((child) => once(child, 'close')));
    if (isAtWork) await firstWrite(ended);
    await Promise.race([sleep(random() * (isAtWork ? WORKING : STARTING)), ended]);
    for (const child of children) child.kill('SIGKILL');
    await ended;
  }

  it('leaves every recording whole or let go, and nothing that a sweep cannot mend', async (test) => {
    test.diagnostic(`ROLLCALL_SEED=${seed}`);
    const left = { kills: 0, others: 0, leftover: 0, moving: 0, swept: 0 };
    for (let kill = 0; kill < kills; kill += 1) {
      const { rows: now } = checkLetting(data, archive);
      const archived = now.filter(({ state }) => state === 'archived');
      const some = archived[Math.floor(random() * archived.length)];
      const restore = some === undefined ? ['archive'] : ['restore', String(some.number)];
      const sweep = ['sweep', '--mend', '--grace-minutes', '0'];
      const all = [[['archive']], [['purge']], [restore], [['purge'], ['archive']], [sweep, ['archive']]];
      await runAndKill(all[kill % all.length] ?? [], kill % 7 > 0);

      const { rows, others } = checkLetting(data, archive);
      assert.equal(rows.length, RECORDINGS);
      assert.notEqual(rows[2]?.state, 'purged', 'what is under legal hold stays');
      left.kills += 1;
      left.others += others;
      left.leftover += rows.filter(({ leftover }) => leftover !== null).length;
      left.moving += rows.filter(({ moving }) => moving !== null).length;
      const isDone = rows.every(({ state }, at) => state === 'purged' || at === 2 || at > RECORDINGS / 3);
      if (kill % 3 === 2 || isDone || kill === kills - 1) {
        for (const finding of await sweepAll(data, archive)) {
          assert.ok(finding.isMended, JSON.stringify(finding));
          assert.ok(!['lost', 'damaged', 'misplaced'].includes(finding.kind), JSON.stringify(finding));
        }
        const after = checkLetting(data, archive);
        assert.deepEqual(
          [after.others, after.rows.filter(({ leftover, moving }) => leftover !== null || moving !== null)],
          [0, []],
        );
        assert.deepEqual(await sweepAll(data, archive), []);
        left.swept += 1;
      }
      if (isDone) await startAnew();
    }
    test.diagnostic(`left behind, all in all: ${JSON.stringify(left)}`);

    await succeed('recordings', 'purge', ...common);
    await succeed('recordings', 'archive', ...common);
    const { rows, others } = checkLetting(data, archive);
    assert.equal(others, 0);
    const count = (state: string) => rows.filter((row) => row.state === state).length;
    // 80 days of calls: three eighths are past 50 days but for the one that is held.
    assert.ok(Math.abs(count('purged') - (RECORDINGS * 3) / 8) < 4, `${count('purged')} are purged`);
    assert.ok(count('archived') > RECORDINGS / 4 && count('stored') > RECORDINGS / 5);
  });
});

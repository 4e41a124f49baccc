import assert from 'node:assert/strict';
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { rollcall, serveJson } from './server-process.ts';

/** How long a round may be in coming, in milliseconds: many times what it takes on a busy machine. */
const PATIENCE = 120_000;

describe('a server', () => {
  let folder: string;
  let made: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-letting-'));
    made = join(folder, 'made');
    const demo = await rollcall('demo', '--users', '3', '--recordings', '30', '--data', made);
    assert.equal(demo.code, 0, demo.stderr);
    const flags = ['--data', made] as const;
    for (const [key, value] of [
      ['recordings.retentionDays', '40'],
      ['recordings.archiveAfterDays', '20'],
    ] as const) {
      assert.equal((await rollcall('contact-center', 'set', 'demo', key, value, ...flags)).code, 0);
    }
  });
  after(() => rm(folder, { recursive: true }));

  for (const workers of ['1', '2']) {
    test(`lets recordings go on its own, once, with ${workers} of its processes`, async () => {
      const data = join(folder, workers);
      const archive = join(folder, `archive-${workers}`);
      await cp(made, data, { recursive: true });
      const count = async (state: string) => {
        const flags = ['--contact-center', 'demo', '--state', state, '--data', data, '--json'];
        return Number(JSON.parse((await rollcall('recordings', 'list', ...flags)).stdout).total);
      };
      const filesIn = async (place: string) => {
        const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => []);
        return entries.filter((entry) => entry.isFile()).length;
      };
      const server = await serveJson('--data', data, '--archive-media', archive, '--workers', workers);
      let told: { stderr: string; code: number | null };
      try {
        const deadline = Date.now() + PATIENCE;
        while ((await count('stored')) > 7) {
          assert.ok(Date.now() < deadline, 'no round came');
          await sleep(100);
        }
        while ((await filesIn(join(data, 'media'))) > 7 && Date.now() < deadline) await sleep(100);
      } finally {
        told = await server.stop();
      }
      assert.equal(told.code, 0, told.stderr);
      assert.deepEqual([await count('purged'), await count('archived'), await count('stored')], [15, 8, 7]);
      assert.deepEqual([await filesIn(join(data, 'media')), await filesIn(archive)], [7, 8]);
      const lines = told.stderr.split('\n').filter((line) => line.includes('"job":"letting"'));
      assert.equal(lines.length, 1, told.stderr);
      const { contactCenter, purged, archived } = JSON.parse(lines[0] ?? '');
      assert.deepEqual([contactCenter, purged, archived], ['demo', 15, 8]);
      const swept = await rollcall('recordings', 'sweep', '--data', data, '--archive-media', archive);
      assert.deepEqual([swept.code, swept.stdout], [0, 'all is well\n']);
    });
  }
});

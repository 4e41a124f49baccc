import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countRecordings, fillRecordings } from '../../src/cli/demo-recordings.ts';
import { demoAudio } from '../../src/recordings/demo.ts';
import type { LettingDeps } from '../../src/recordings/letting.ts';
import { purge } from '../../src/recordings/purge.ts';
import { type SweepFinding, sweep } from '../../src/recordings/sweep.ts';
import { NOW, useCenter } from './center.ts';
import { DAY, PACE } from './letting-world.ts';

describe('recordings of the demonstration', () => {
  const center = useCenter();

  it('are made once, with audio that is theirs, and made up for as they grow old and go', async () => {
    const { store, contactCenter, main } = center;
    const told: number[] = [];
    const fill = (wanted: number, now = NOW) =>
      fillRecordings(store, main, contactCenter, wanted, (there) => told.push(there), now);
    const all = async () => {
      const query = { limit: 1000, count: 'none' } as const;
      return (await store.recordings.page(contactCenter, query)).recordings;
    };
    await fill(20);
    assert.deepEqual(
      told.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, at) => at + 1),
    );
    const first = await all();
    assert.equal(first.length, 20);
    assert.ok(first.every(({ startedAt }) => startedAt > NOW - 80 * DAY && startedAt < NOW));
    const calls = new Map(Array.from({ length: 20 }, (_, at) => [`demo-${at + 1}`, at + 1]));
    const files = await center.files();
    for (const { callId, mediaId, media, state } of first) {
      assert.equal(state, 'stored');
      assert.deepEqual(files.get(mediaId), demoAudio(calls.get(callId ?? '') ?? 0));
      assert.equal(files.get(mediaId)?.length, media?.bytes);
    }
    const places = { main, archive: null };
    const deps: LettingDeps = {
      store: store.letting,
      places,
      now: () => NOW + 40 * DAY,
      newId: center.newId,
    };
    const found: SweepFinding[] = [];
    const options = { mend: false, checksums: true, grace: -1, pendingLife: 0, mostLost: 0 };
    await sweep(deps, contactCenter, options, PACE, (finding) => found.push(finding));
    assert.deepEqual(found, []);

    await fill(20);
    assert.deepEqual(await all(), first);
    await fill(25);
    assert.equal((await all()).length, 25);
    // Forty days later half of them are too old to be shown; none was let go before its time.
    await fill(20, NOW + 40 * DAY);
    const later = await all();
    assert.deepEqual(later.filter(({ number }) => number <= 20).length, 20);
    assert.ok(later.length > 30 && later.length < 40);
    const { purged } = await purge(deps, contactCenter, PACE);
    assert.ok(purged > 5 && purged < 15);
    assert.equal(await countRecordings(store, contactCenter, { from: NOW - 40 * DAY }), 20);
  });
});

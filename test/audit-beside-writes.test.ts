import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SURROUNDINGS } from '../src/app.ts';
import { loadRows, openAppUnderTest } from './app-under-test.ts';
import { announce } from './recordings-under-test.ts';

test('plays are written to the audit while recordings are, and neither waits for the other for ever', async () => {
  const opened = await openAppUnderTest();
  try {
    const { app } = opened;
    const { audit } = app.store;
    const center = await app.store.access.createContactCenter('north', 'UTC', SURROUNDINGS.now());
    await loadRows(app, center, [{ email: 'a@b.test', firstName: 'A' }]);
    const played = (subject: number) =>
      ({
        at: 0,
        actor: { kind: 'link', tokenId: null },
        action: 'recording.played',
        subject: String(subject),
        outcome: 'done',
        details: {},
      }) as const;
    for (let at = 0; at < 100; at += 1) {
      audit.record(center, played(at));
      const kept = audit.flush();
      // At every moment of the other's transaction.
      for (let turn = at % 25; turn > 0; turn -= 1) await new Promise(setImmediate);
      await app.store.access.setSetting(center, 'recordings.retentionDays', String(90 + at));
      await announce(app, center);
      await kept;
    }
    assert.deepEqual(
      (await audit.page(center, 0, 1000)).map(({ subject }) => Number(subject)),
      Array.from({ length: 100 }, (_, at) => at),
    );
    const page = await app.store.recordings.page(center, { limit: 1, count: 'exact' });
    assert.equal(page.recordings.length, 1);
    assert.ok(page.hasMore);
  } finally {
    await opened.close();
  }
});

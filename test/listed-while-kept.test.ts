import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { ContactCenter } from '../src/access/contact-center.ts';
import { SURROUNDINGS } from '../src/app.ts';
import type { RecordingChange } from '../src/recordings/ports.ts';
import { type AppUnderTest, loadRows, makeTokens, openAppUnderTest } from './app-under-test.ts';
import { record } from './recordings-under-test.ts';

const DAY = 86_400_000;

describe('recordings past their retention that are still to be let go', () => {
  let opened: AppUnderTest;
  let center: ContactCenter;
  let token: string;
  before(async () => {
    opened = await openAppUnderTest();
    const { app } = opened;
    center = await app.store.access.createContactCenter('north', 'UTC', SURROUNDINGS.now());
    await loadRows(app, center, [{ email: 'ann@b.test', firstName: 'A' }]);
    token = (await makeTokens(app, center)).good;
    for (const days of [91, 90.5, 89, 1]) {
      await record(app, center, { startedAt: Date.now() - days * DAY, leadId: 7 });
    }
  });
  after(() => opened.close());

  async function list(path: string, method: 'GET' | 'POST', page: Readonly<Record<string, number>> = {}) {
    const payload = { auth_token: token, user: 'ann@b.test', lead_id: 7, ...page };
    const query = Object.fromEntries(Object.entries(payload).map(([name, value]) => [name, String(value)]));
    const { app } = opened;
    const answer = await app.server.inject(
      method === 'GET' ? { method, url: path, query } : { method, url: path, payload },
    );
    const { data, entries } = answer.json();
    const found: { recording_id: number | string; url: string }[] = data?.entries ?? entries;
    const statuses = await Promise.all(
      found.map(async ({ url }) => {
        const { pathname, search } = new URL(url);
        return (await app.server.inject({ url: pathname + search })).statusCode;
      }),
    );
    return { numbers: found.map((entry) => Number(entry.recording_id)), total: data?.total, statuses };
  }

  /** Asks every endpoint of Convoso, all of which must list and count the same. */
  async function listed(): Promise<number[]> {
    const paths = ['/v1/users/recordings', '/v1/lead/get-recordings', '/v1/leads/get-recordings'];
    const all = await Promise.all(
      paths.flatMap((path) => [list(path, 'GET'), list(path, 'POST'), list(path, 'GET', { limit: 1 })]),
    );
    const [first] = all;
    assert.ok(first);
    for (const { numbers, total, statuses } of all) {
      assert.deepEqual(numbers, first.numbers.slice(0, numbers.length));
      if (total !== undefined) assert.equal(total, first.numbers.length);
      assert.deepEqual(
        statuses,
        numbers.map(() => 200),
      );
    }
    return first.numbers;
  }

  const change = (number: number, changes: RecordingChange) =>
    opened.app.store.recordings.change(center, number, changes, () => ({
      at: 0,
      actor: { kind: 'cli' },
      action: 'recording.changed',
      subject: String(number),
      outcome: 'done',
      details: {},
    }));

  test('are neither listed nor counted by Convoso; held ones are, and each that is listed plays', async () => {
    assert.deepEqual(await listed(), [3, 4]);
    await change(1, { legalHold: true });
    assert.deepEqual(await listed(), [1, 3, 4]);
    await change(2, { keepUntil: Date.now() + DAY });
    assert.deepEqual(await listed(), [1, 2, 3, 4]);
    await change(4, { keepUntil: Date.now() - 1000 });
    assert.deepEqual(await listed(), [1, 2, 3]);
    await opened.app.store.access.setSetting(center, 'recordings.retentionDays', '80');
    assert.deepEqual(await listed(), [1, 2]);
    await opened.app.store.access.setSetting(center, 'recordings.retentionDays', '90');
    await change(4, { keepUntil: null });
    assert.deepEqual(await listed(), [1, 2, 3, 4]);
  });

  test('are gone from what was answered before once their own end comes', async () => {
    const end = Date.now() + 500;
    await change(3, { keepUntil: end });
    const before = await list('/v1/users/recordings', 'GET');
    if (Date.now() < end) assert.deepEqual(before.numbers, [1, 2, 3, 4]);
    while (Date.now() <= end + 1000) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(await listed(), [1, 2, 4]);
  });

  test('are shown by our own API with their state, without links', async () => {
    await change(1, { legalHold: false });
    const headers = { authorization: `Bearer ${token}` };
    const answer = await opened.app.server.inject({ url: '/rollcall/v1/recordings', headers });
    const { recordings } = answer.json();
    const shown = recordings.map((each: { number: number; state: string; links: unknown }) => [
      each.number,
      each.state,
      each.links !== null,
    ]);
    assert.deepEqual(shown, [
      [1, 'stored', false],
      [2, 'stored', true],
      [3, 'stored', false],
      [4, 'stored', true],
    ]);
  });
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/errors.ts';
import { type AppUnderTest, loadRows, openAppUnderTest } from '../app-under-test.ts';
import { idOf } from '../contract/people.ts';
import { said } from '../contract/recordings-contract.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { makeFolder, succeed } from './commands.ts';
import { assertAllAway, TOLD_WITHIN, VendorRequests } from './vendor-requests.ts';

describe('a server whose primary is killed and whose standby is promoted', { skip: noPostgres }, () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let opened: AppUnderTest;
  let vendors: VendorRequests;

  /** The standby comes first in the URL: it is what it is asked for that counts. */
  const toBoth = (url: string) =>
    `${url.replace(primary.host, `${standby.host},${primary.host}`)}&target_session_attrs=read-write`;

  before(async () => {
    ({ primary, standby } = await PostgresServer.startPair());
    opened = await openAppUnderTest({ databaseUrl: toBoth(await primary.makePlace()) });
    vendors = await VendorRequests.begin(opened);
  });
  after(async () => {
    await opened?.close();
    await primary?.stop();
    await standby?.stop();
  });

  it('is found by commands that load rows', async () => {
    const folder = await makeFolder('failover');
    try {
      await succeed('contact-center', 'create', 'south', '--data', folder.path);
      const place = toBoth(await primary.makePlace());
      await succeed('db', 'copy', '--from', `sqlite:${folder.path}`, '--to', place);
      assert.match(await succeed('contact-center', 'list', '--database-url', place), /south/);
    } finally {
      await folder.drop();
    }
  });

  it('says so, is well again by itself, and loses nothing that was acknowledged', async (test) => {
    const { recordings, access } = opened.app.store;
    const contactCenter = await access.findContactCenter('north');
    assert.ok(contactCenter);
    const good = await vendors.askAll();
    const acknowledged: number[] = [];
    const refusals: unknown[] = [];
    let isOver = false;
    const writing = Promise.all(
      Array.from({ length: 3 }, async (_, writer) => {
        for (let at = 0; !isOver; at += 1) {
          const id = idOf(1 + writer + 3 * at);
          await recordings.reserve(contactCenter, said(), { id, now: 1 }).then(
            ({ recording }) => acknowledged.push(recording.number),
            async (error) => {
              refusals.push(error);
              await sleep(20);
            },
          );
        }
      }),
    );
    const stop = vendors.keepAsking();
    while (acknowledged.length < 20) await sleep(20);
    await primary.crash();
    assertAllAway(await vendors.askAll());
    assert.equal((await vendors.ask('/readyz')).status, 503);
    assert.equal((await vendors.ask('/healthz')).status, 200);
    // Longer than a write that lost its connection is tried again for.
    await sleep(1000);
    const start = performance.now();
    await standby.promote();
    await vendors.untilWell();
    test.diagnostic(`well again ${Math.round(performance.now() - start)} ms after the promotion began`);
    const ready = await vendors.ask('/readyz');
    assert.equal(ready.status, 200, ready.body);
    const seen = await stop();
    for (const enough = acknowledged.length + 20; acknowledged.length < enough; ) await sleep(20);
    isOver = true;
    await writing;

    const longest = Math.max(...seen.map(({ milliseconds }) => milliseconds));
    test.diagnostic(`the slowest of ${seen.length} answers took ${Math.round(longest)} ms`);
    assert.ok(longest < TOLD_WITHIN, `${longest} ms`);
    assert.deepEqual([...new Set(seen.map(({ status }) => status))].sort(), [200, 503]);
    for (const error of refusals)
      assert.ok(error instanceof Failure && error.kind === 'unavailable', String(error));
    assert.ok(refusals.length > 0);
    const kept = await standby.query('select number from recordings order by number', standby.url('place_1'));
    const numbers = new Set(kept.map(({ number }) => Number(number)));
    assert.equal(new Set(acknowledged).size, acknowledged.length, 'a number was given twice');
    assert.deepEqual(
      acknowledged.filter((number) => !numbers.has(number)),
      [],
    );
    assert.deepEqual(
      (await vendors.askAll()).map(({ body }) => body),
      good.map(({ body }) => body),
    );
  });
});

describe('a server whose standby is promoted and lacks what was written last', { skip: noPostgres }, () => {
  let primary: PostgresServer;
  let standby: PostgresServer;
  let opened: AppUnderTest;

  before(async () => {
    ({ primary, standby } = await PostgresServer.startPair());
    // Nothing waits for the standby.
    const place = (await primary.makePlace()).replace(
      'search_path',
      'synchronous_commit%3Dlocal%20-c%20search_path',
    );
    opened = await openAppUnderTest({
      databaseUrl: place.replace(primary.host, `${primary.host},${standby.host}`),
    });
  });
  after(async () => {
    await opened?.close();
    await primary?.stop();
    await standby?.stop();
  });

  it('answers what the standby has, also where it gives revisions that were given before', async () => {
    const vendors = await VendorRequests.begin(opened);
    const contactCenter = await opened.app.store.access.findContactCenter('north');
    assert.ok(contactCenter);
    const change = (firstName: string) =>
      loadRows(opened.app, contactCenter, [{ email: 'person3@faults.example', firstName }]);
    const bodies = async () => {
      await vendors.askAll();
      return (await vendors.askAll()).map(({ body }) => body).join('\n');
    };
    const first = await bodies();
    while (
      (await primary.query('select pid from pg_stat_replication where flush_lsn < pg_current_wal_lsn()'))
        .length > 0
    )
      await sleep(50);
    await standby.crash();
    await change('Lost');
    assert.match(await bodies(), /Lost/);
    await primary.crash();
    await standby.resume();
    await standby.promote();
    await vendors.untilWell();
    assert.equal(await bodies(), first);
    await change('Kept');
    const changed = await bodies();
    assert.match(changed, /Kept/);
    assert.doesNotMatch(changed, /Lost/);
  });
});

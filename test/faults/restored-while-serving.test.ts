import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createBackup } from '../../src/store/backup/create.ts';
import { restoreBackup } from '../../src/store/backup/restore.ts';
import { type AppUnderTest, loadRows, openAppUnderTest } from '../app-under-test.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { REQUESTS, VendorRequests } from './vendor-requests.ts';

describe('a server whose database is restored while it serves', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  let opened: AppUnderTest;

  before(async () => {
    postgres = await PostgresServer.start();
    opened = await openAppUnderTest({ databaseUrl: await postgres.makePlace() });
  });
  after(async () => {
    await opened?.close();
    await postgres?.stop();
  });

  it('answers as the store is now, whatever revisions and versions were given before', async () => {
    const vendors = await VendorRequests.begin(opened);
    const place = { data: opened.data, databaseUrl: postgres.url('place_1') };
    const common = { now: Date.now, onShare: () => {}, env: {} };
    const file = join(opened.data, 'backup');
    await createBackup(place, file, { ...common, portable: true, version: '0.0.0' });
    const change = async (firstName: string, ...more: string[]) => {
      const contactCenter = await opened.app.store.access.findContactCenter('north');
      assert.ok(contactCenter);
      const [email = '', added = ''] = ['person3@faults.example', ...more];
      const rows = [{ email, firstName }, ...(added === '' ? [] : [{ email: added, firstName }])];
      await loadRows(opened.app, contactCenter, rows);
      return contactCenter;
    };
    const bodies = async () => {
      // Kept once it was asked for, and read out of what is kept.
      const all = [];
      for (const [, path] of [...REQUESTS, ...REQUESTS]) {
        const { status, body } = await vendors.ask(path);
        assert.equal(status, 200, body);
        all.push(body);
      }
      return all.join('\n');
    };
    await bodies();
    await change('Lost', 'nobody@faults.example');
    assert.match(await bodies(), /Lost/);

    await restoreBackup(file, place, { ...common, force: true, dryRun: false });
    const restored = await bodies();
    assert.doesNotMatch(restored, /Lost|nobody/);
    await change('Kept', 'somebody@faults.example');
    const changed = await bodies();
    assert.match(changed, /Kept/);
    assert.doesNotMatch(changed, /Lost|nobody/);
  });
});

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { DIALECTS } from '../../src/app.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { makeFolder, people, succeed } from './commands.ts';

const WAITING = "from pg_stat_activity where application_name = 'rollcall' and wait_event_type = 'Lock'";

const open = (databaseUrl: string): Promise<Store> =>
  openStore({
    data: '',
    databaseUrl,
    dialects: DIALECTS.map(({ index }) => index),
    now: Date.now,
    cacheMiB: 8,
  });

describe('transactions of commands', { skip: noPostgres }, () => {
  let postgres: PostgresServer;
  before(async () => {
    postgres = await PostgresServer.start();
  });
  after(() => postgres?.stop());

  /** Holds contact centers, so that who writes them waits; gives what lets go of them. */
  const hold = async (url: string): Promise<() => Promise<void>> => {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    await client.query('begin; lock table contact_centers in exclusive mode');
    return () => client.end();
  };
  const untilWaiting = async () => {
    while ((await postgres.query(`select pid ${WAITING}`)).length === 0) await sleep(20);
  };

  it('are run again where their connection is ended before they commit', async () => {
    const url = await postgres.makePlace();
    const store = await open(url);
    try {
      const release = await hold(url);
      const made = store.access.createContactCenter('north', 'UTC', 1);
      await untilWaiting();
      await postgres.query(`select pg_terminate_backend(pid) ${WAITING}`);
      await release();
      await made;
      assert.equal((await store.access.contactCenters()).length, 1);
    } finally {
      await store.close();
    }
  });

  it('are run again where the server is started again during an import', async () => {
    const folder = await makeFolder('retries');
    try {
      const url = await postgres.makePlace();
      const flags = ['--contact-center', 'north', '--database-url', url];
      const file = join(folder.path, 'people.jsonl');
      await writeFile(file, people(1, 50));
      await succeed('contact-center', 'create', 'north', '--database-url', url);
      const release = await hold(url);
      const imported = succeed('import', file, ...flags);
      await untilWaiting();
      await postgres.crash();
      await release().catch(() => {});
      await sleep(1000);
      await postgres.resume();
      await imported;
      const [row] = await postgres.query('select count(*) as count from users', url);
      assert.equal(Number(row?.count), 50);
    } finally {
      await folder.drop();
    }
  });

  it('wait for each other and are not refused, whatever isolation is the default of the database', async () => {
    const url = await postgres.makePlace();
    const store = await open(url);
    await store.close();
    await postgres.query('alter role rollcall set default_transaction_isolation = serializable');
    const strict = await open(url);
    try {
      const contactCenter = await strict.access.createContactCenter('north', 'UTC', 1);
      const settings = Array.from({ length: 60 }, (_, at) =>
        strict.access.setSetting(contactCenter, `test.${at}`, 'x'),
      );
      await Promise.all(settings);
      const after = await strict.access.findContactCenter('north');
      assert.equal(Object.keys(after?.settings ?? {}).length, 60);
    } finally {
      await strict.close();
      await postgres.query('alter role rollcall reset default_transaction_isolation');
    }
  });
});

describe('a server whose primary takes no writes any more and lives on', { skip: noPostgres }, () => {
  it('writes to the host that was promoted, where its URL names both and says no more', async () => {
    const { primary, standby } = await PostgresServer.startPair();
    try {
      const place = await primary.makePlace();
      const store = await open(place.replace(primary.host, `${primary.host},${standby.host}`));
      try {
        await store.access.createContactCenter('north', 'UTC', 1);
        await primary.query('alter system set default_transaction_read_only = on');
        await primary.query('select pg_reload_conf()');
        await standby.promote();
        await store.access.createContactCenter('south', 'UTC', 1);
        const names = await standby.query(
          'select name from contact_centers order by name',
          standby.url('place_1'),
        );
        assert.deepEqual(
          names.map(({ name }) => name),
          ['north', 'south'],
        );
        // It is seen by who reads as well.
        assert.equal((await store.access.contactCenters()).length, 2);
      } finally {
        await store.close();
      }
    } finally {
      await primary.stop();
      await standby.stop();
    }
  });
});

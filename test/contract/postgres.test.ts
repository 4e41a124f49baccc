import { after, before, describe } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { dumpDatabase } from '../store-dump.ts';
import { describeStore } from './store-contract.ts';

describe('with a PostgreSQL server', { skip: noPostgres }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server?.stop());

  describeStore({
    name: 'PostgreSQL',
    makePlace: () => server.makePlace(),
    dropPlace: async (place) => {
      const [{ schema } = {}] = await server.query('select current_schema() as schema', place);
      await server.query(`drop schema ${schema} cascade`);
    },
    open: (place, dialects) =>
      openStore({ data: '', databaseUrl: place, dialects, now: () => 1_700_000_000_000, cacheMiB: 8 }),
    execute: async (place, sql) => void (await server.query(sql, place)),
    dump: async (place) => JSON.stringify(await dumpDatabase(server, place), null, 1),
  });
});

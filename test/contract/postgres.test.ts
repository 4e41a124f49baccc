import { after, before, describe } from 'node:test';
import { openStore } from '../../src/store/open.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
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
    dump: async (place) => {
      const columns = await server.query(
        `select table_name, column_name, data_type, is_nullable, collation_name from information_schema.columns
         where table_schema = current_schema() order by table_name, ordinal_position`,
        place,
      );
      const indexes = await server.query(
        `select tablename, indexdef from pg_indexes where schemaname = current_schema() order by indexname`,
        place,
      );
      const constraints = await server.query(
        `select conname, pg_get_constraintdef(oid) as definition from pg_constraint
         where connamespace = current_schema()::regnamespace order by conname, conrelid::regclass::text`,
        place,
      );
      const rows: unknown[] = [];
      for (const table of new Set(columns.map((column) => String(column.table_name)))) {
        rows.push([table, await server.query(`select * from "${table}" as t order by t::text`, place)]);
      }
      return JSON.stringify([columns, indexes, constraints, rows], null, 1);
    },
  });
});

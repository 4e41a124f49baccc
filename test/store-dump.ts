import Database from 'better-sqlite3';
import type { PostgresServer } from './postgres/server.ts';

/** What a store holds, read past Rollcall, in an order that is always the same. */
export interface StoreDump {
  /** Tables, columns, indexes and constraints, as the engine tells them. */
  readonly schema: unknown;
  /** The rows of each table. */
  readonly rows: Readonly<Record<string, unknown>>;
}

/** Reads a SQLite file. */
export function dumpFile(path: string): StoreDump {
  const db = new Database(path);
  try {
    const schema = db.prepare('select name, sql from sqlite_schema order by name').all() as {
      name: string;
      sql: string | null;
    }[];
    const rows = schema
      .filter(({ sql }) => sql?.toLowerCase().startsWith('create table'))
      .map(({ name }) => {
        const all = db.prepare(`select * from "${name}"`).all();
        return [name, all.map((row) => JSON.stringify(row)).sort()];
      });
    return { schema, rows: Object.fromEntries(rows) };
  } finally {
    db.close();
  }
}

/** Reads the schema of a PostgreSQL database that a URL names. */
export async function dumpDatabase(server: PostgresServer, url: string): Promise<StoreDump> {
  const columns = await server.query(
    `select table_name, column_name, data_type, is_nullable, column_default, collation_name
     from information_schema.columns
     where table_schema = current_schema() order by table_name, ordinal_position`,
    url,
  );
  const indexes = await server.query(
    `select tablename, replace(indexdef, current_schema() || '.', '') as definition
     from pg_indexes where schemaname = current_schema() order by indexname`,
    url,
  );
  const constraints = await server.query(
    `select conname, pg_get_constraintdef(oid) as definition from pg_constraint
     where connamespace = current_schema()::regnamespace order by conname, conrelid::regclass::text`,
    url,
  );
  const rows: Record<string, unknown> = {};
  for (const table of new Set(columns.map((column) => String(column.table_name)))) {
    rows[table] = await server.query(`select * from "${table}" as t order by t::text`, url);
  }
  return { schema: [columns, indexes, constraints], rows };
}

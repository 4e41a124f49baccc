import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { type StorePlace, storePath } from '../../src/store/open.ts';
import type { PostgresServer } from '../postgres/server.ts';
import { dumpDatabase, dumpFile } from '../store-dump.ts';

/** A place for a store under test, of either engine. */
export interface Place {
  readonly engine: 'SQLite' | 'PostgreSQL';
  /** As `db copy` names it. */
  readonly name: string;
  /** As every command names it. */
  readonly flags: readonly string[];
  readonly place: StorePlace;
  execute(sql: string): Promise<void>;
  /** Everything that is there, the schema too. */
  tables(): Promise<unknown>;
  /** The rows of each table, the same for both engines; without what each store has of its own. */
  rows(): Promise<Record<string, string[]>>;
}

/** What each store has of its own, besides epochs: when its migrations were run, and figures for SQLite's planner. */
const OWN = new Set(['migrations', 'sqlite_stat1', 'sqlite_stat4']);

function comparable(rows: Readonly<Record<string, unknown>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(rows)
      .filter(([table]) => !OWN.has(table))
      .map(([table, all]) => {
        const parsed = (all as unknown[]).map((row) => (typeof row === 'string' ? JSON.parse(row) : row));
        const lines = parsed.map((row) =>
          // node-postgres gives bigints as texts.
          JSON.stringify(
            Object.entries(row)
              .filter(([name]) => name !== 'epoch')
              .map(([name, cell]) => [name, cell === null ? null : String(cell)]),
          ),
        );
        return [table, lines.sort()];
      }),
  );
}

/** A folder that does not exist yet. */
export function filePlace(folder: string, name: string): Place {
  const data = join(folder, name);
  return {
    engine: 'SQLite',
    name: `sqlite:${data}`,
    flags: ['--data', data],
    place: { data },
    async execute(sql) {
      await mkdir(data, { recursive: true });
      const db = new Database(storePath(data));
      db.exec(sql);
      db.close();
    },
    tables: async () => dumpFile(storePath(data)),
    rows: async () => (existsSync(storePath(data)) ? comparable(dumpFile(storePath(data)).rows) : {}),
  };
}

/** A schema of its own. */
export async function databasePlace(server: PostgresServer): Promise<Place> {
  return urlPlace(server, await server.makePlace());
}

/** The first schema of the database that a URL names. */
export function urlPlace(server: PostgresServer, url: string): Place {
  return {
    engine: 'PostgreSQL',
    name: url,
    flags: ['--database-url', url],
    place: { data: '', databaseUrl: url },
    execute: async (sql) => void (await server.query(sql, url)),
    tables: () => dumpDatabase(server, url),
    rows: async () => comparable((await dumpDatabase(server, url)).rows),
  };
}

/** Texts that a careless writer would change. */
const HARD = [
  'back\\slash \\N \\. \\t',
  'tab\there',
  'line\nfeed\rreturn',
  `quotes ' " \`$1 ?`,
  'naïve Ωμέγα 漢字 😀',
  '',
  ' ',
  'NULL',
];

/** Puts rows in that are hard to move: texts as above, nulls, the greatest whole numbers. */
export async function addHardRows(place: Place): Promise<void> {
  const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const roles = HARD.map(
    (text, at) =>
      `insert into roles (contact_center_id, number, name, name_key) values (1, ${900 + at}, ${quote(text)}, ${quote(`key ${at} ${text}`)})`,
  );
  await place.execute(
    [
      ...roles,
      `update contact_centers set revision = ${Number.MAX_SAFE_INTEGER} where contact_center_id = 1`,
      `insert into audit_events (contact_center_id, number, at, actor_kind, token_id, action, subject, outcome, details)
       values (1, ${Number.MAX_SAFE_INTEGER}, -1, 'cli', null, 'x', ${quote(HARD.join('|'))}, 'done', '{}')`,
    ].join(';\n'),
  );
}

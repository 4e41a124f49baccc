import type { Engine } from '../engine.ts';

/** How many rows have one value of a column: a share of all rows where it is below zero, else how many values. */
type Distinct = number;

/**
 * What PostgreSQL's planner is told of the columns by which rows are found: a contact center of a million
 * users, whatever is in there. Until a table is analyzed, and it is not before minutes have gone by, it takes
 * a contact center for a two-hundredth of the rows and a dialect for as much of that: a handful of rows, of
 * which it walks all. A plan that was made then is kept as long as its connection.
 */
const DISTINCT: Readonly<Record<string, Readonly<Record<string, Distinct>>>> = {
  audit_events: { contact_center_id: 1, number: -1 },
  dialect_numbers: { contact_center_id: 1, dialect: 3, number: -0.33, user_number: -0.33 },
  number_counts: { contact_center_id: 1, dialect: 3, level: 3, block: -0.3 },
  recording_counts: { contact_center_id: 1, user_number: -0.005, day: 365 },
  recordings: {
    contact_center_id: 1,
    number: -1,
    id: -1,
    media_id: -1,
    user_number: 1000,
    lead_id: -0.2,
    started_at: -0.5,
    created_at: -0.5,
    keep_until: -0.5,
    key_until: -0.5,
    idempotency_key: -1,
  },
  retired_numbers: { contact_center_id: 1, dialect: 3, number: -0.33 },
  roles: { contact_center_id: 1, number: -1, name_key: -1 },
  teams: { contact_center_id: 1, number: -1, name_key: -1 },
  user_extensions: { contact_center_id: 1, extension: -1, user_number: -0.7 },
  user_terms: { contact_center_id: 1, dialect: 3, term: -0.2, number: -0.1 },
  users: {
    contact_center_id: 1,
    number: -1,
    id: -1,
    email_key: -1,
    login_id_key: -1,
    sip_account_key: -1,
    role_number: 100,
  },
};

/** The first version that takes figures from outside (pg_restore_attribute_stats). */
const TAKES_FIGURES = 180_000;
/** What has the server's own analysis leave a table alone. */
const NEVER = 'autovacuum_analyze_threshold = 2147483647';

const run = (engine: Engine, name: string, sql: string) =>
  engine.read({ name: `schema.${name}`, sql, parameters: [] }, {});

/**
 * Gives the planner its figures where it does not have them. Older servers go by what they find when they
 * analyze tables by themselves.
 */
export async function pinStatistics(engine: Engine): Promise<void> {
  const [version] = await run(engine, 'version', "select current_setting('server_version_num')");
  if (Number(version?.[0]) < TAKES_FIGURES) return;
  const columns = Object.entries(DISTINCT).flatMap(([table, distinct]) =>
    Object.entries(distinct).map(([column, value]) => ({ table, column, value })),
  );
  const found = await run(
    engine,
    'statistics',
    'select tablename, attname, n_distinct::text from pg_stats where schemaname = current_schema()',
  );
  const known = new Set(found.map((row) => row.join(' ')));
  if (columns.every(({ table, column, value }) => known.has(`${table} ${column} ${value}`))) return;
  const changes = [
    ...Object.keys(DISTINCT).map((table) => `alter table ${table} set (${NEVER})`),
    ...columns.map(
      ({ table, column, value }) =>
        `select pg_restore_attribute_stats('schemaname', current_schema()::text, 'relname', '${table}',
           'attname', '${column}', 'inherited', false, 'null_frac', 0::real, 'avg_width', 8, 'n_distinct', ${value}::real)`,
    ),
  ];
  await engine.transaction([], async (transaction) => {
    for (const sql of changes) {
      await transaction.run({ name: 'schema.statistics', sql, parameters: [] }, {});
    }
  });
}

import type { SqliteEngine } from './engine.ts';

/**
 * What SQLite's planner is told of the tables: a contact center of a million users, whatever is in there.
 * Without figures it takes a contact center for ten rows, and walks all of one where a longer key would
 * find a few; with measured figures, plans would differ from store to store.
 * By table and index: rows in all, then rows with the same first column, the same first two, and so on
 * (https://sqlite.org/fileformat2.html, section 2.6.3).
 */
const STATISTICS: readonly (readonly [table: string, index: string, figures: string])[] = [
  ['audit_events', 'audit_events', '10000000 10000000 1'],
  ['dialect_numbers', 'dialect_numbers', '3000000 3000000 1000000 1'],
  ['dialect_numbers', 'sqlite_autoindex_dialect_numbers_2', '3000000 3000000 3 1'],
  ['number_counts', 'number_counts', '12000 12000 4000 4000 1'],
  ['recording_counts', 'recording_counts', '2000000 2000000 500 1'],
  ['recordings', 'recordings_by_idempotency', '50000000 50000000 1'],
  ['recordings', 'recordings_by_archiving', '10000000 10000000 2 1'],
  ['recordings', 'recordings_by_key_end', '10000 10000 2 1'],
  ['recordings', 'recordings_by_keep_until', '10000 10000 2 1'],
  ['recordings', 'recordings_by_lead', '50000000 50000000 5 1 1'],
  ['recordings', 'recordings_by_leftover', '1000 1000 1'],
  // Fewer than by start, which could serve as well: it is walked past what is kept for longer.
  ['recordings', 'recordings_by_retention', '25000000 25000000 2 1 1 1 1'],
  ['recordings', 'recordings_by_start', '50000000 50000000 2 1'],
  ['recordings', 'recordings_by_user', '50000000 50000000 50000 2 1 1 1 1 1 1 1 1'],
  ['recordings', 'recordings_held', '1000 1000 1'],
  ['recordings', 'recordings_moving', '100 100 1'],
  ['recordings', 'recordings_pending', '1000 1000 2 1'],
  ['recordings', 'recordings_purged', '50000000 50000000 2 1'],
  ['recordings', 'sqlite_autoindex_recordings_1', '50000000 50000000 1'],
  ['recordings', 'sqlite_autoindex_recordings_2', '50000000 50000000 1'],
  ['retired_numbers', 'retired_numbers', '10000 10000 3000 1'],
  ['roles', 'roles', '100 100 1'],
  ['roles', 'sqlite_autoindex_roles_2', '100 100 1'],
  ['signing_keys', 'signing_keys', '1000 10 1'],
  ['teams', 'teams', '100 100 1'],
  ['teams', 'sqlite_autoindex_teams_2', '100 100 1'],
  ['tokens', 'tokens', '1000 1000 1'],
  ['tokens', 'sqlite_autoindex_tokens_1', '1000 1'],
  ['user_extensions', 'user_extensions', '1000000 1000000 1'],
  ['user_terms', 'user_terms', '8000000 8000000 2500000 1000 1'],
  ['users', 'sqlite_autoindex_users_1', '1000000 1000000 1'],
  ['users', 'sqlite_autoindex_users_2', '1000000 1000000 1'],
  ['users', 'sqlite_autoindex_users_3', '1000000 1000000 1'],
  ['users', 'sqlite_autoindex_users_4', '1000000 1000000 1'],
  ['users', 'users_sip_account', '1000000 1000000 1'],
];

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;

/** Gives the planner its figures where it does not have them. */
export async function pinStatistics(engine: SqliteEngine): Promise<void> {
  const rows = await engine
    .read({ name: 'schema.statistics', sql: 'select tbl, idx, stat from sqlite_stat1', parameters: [] }, {})
    .catch(() => []);
  const found = new Set(rows.map((row) => row.join(' ')));
  if (rows.length === STATISTICS.length && STATISTICS.every((each) => found.has(each.join(' ')))) return;
  // Analyzing the schema counts nothing: it makes the table of figures, and has a connection read it.
  engine.execute('analyze sqlite_schema');
  const values = STATISTICS.map((each) => `(${each.map(quote).join(', ')})`).join(', ');
  engine.execute(
    `begin immediate; delete from sqlite_stat1; insert into sqlite_stat1 (tbl, idx, stat) values ${values}; commit`,
  );
  engine.executeEverywhere('analyze sqlite_schema');
}

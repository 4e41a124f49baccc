/** Tables that grow with the directory: no statement may walk one of them, nor one tenant's part of it. */
export const GROWING: ReadonlySet<string> = new Set([
  'users',
  'dialect_numbers',
  'retired_numbers',
  'user_terms',
  'user_extensions',
  'tokens',
  'number_counts',
  'recordings',
  'recording_counts',
  'audit_events',
]);

/** Statements that may walk a whole tenant or dialect, and why. */
export const ALLOWED: Readonly<Record<string, string>> = {
  'users.insert':
    'would look for rows that refer to the new users only if some were left over in the transaction',
  'dialect_numbers.last': 'reads the last entry of the walk and stops',
  'user_terms.clear': 'empties a dialect before it is filled anew',
  'number_counts.total': 'adds up one level of counts: 128 rows at most',
  'users.count': 'adds up one level of counts: 128 rows a dialect at most',
  'letting.count_held': 'counts what is under legal hold, in an index of nothing else, on the command line',
  'access.list_tokens': 'lists all tokens of a contact center, on the command line',
  'access.drop_expired_tokens': 'looks at all tokens of a contact center, on the command line',
};

/** Columns that say whose rows are looked at, and nothing of which. */
export const WHOSE: ReadonlySet<string> = new Set(['contact_center_id', 'dialect', 'level']);

/** The tables behind the names of a plan: an alias hides what it stands for. */
function tablesBy(sql: string): Map<string, string> {
  const tables = new Map<string, string>();
  for (const [, table = '', alias = ''] of sql.matchAll(/"(\w+)" as "(\w+)"/g)) tables.set(alias, table);
  return tables;
}

/** What is wrong with a plan, or null. */
export function faultOf(name: string, sql: string, plan: readonly string[]): string | null {
  const aliases = tablesBy(sql);
  for (const line of plan) {
    const match = /^(SCAN|SEARCH) (\w+)(.*)$/.exec(line.trim());
    if (match === null) continue;
    const [, way, seen = '', rest = ''] = match;
    const table = aliases.get(seen) ?? seen;
    if (!GROWING.has(table) || name in ALLOWED) continue;
    // Row values are shown as (first,second)>(?,?).
    const columns = [...rest.matchAll(/(\w+)(?:,\w+\))?[=<>]/g)].map(([, column = '']) => column);
    // A skip-scan goes through every tenant.
    if (rest.includes('ANY(')) return `skips through ${table}`;
    if (way === 'SCAN') return `scans ${table}`;
    if (columns.every((column) => WHOSE.has(column))) return `walks a whole tenant's part of ${table}`;
  }
  return null;
}

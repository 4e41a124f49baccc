import { Failure } from '../../errors.ts';
import type { Engine, Reader } from '../engine.ts';

/**
 * Small tables that every node has whole: those that are read before it is known whose request it is, and those
 * that are of all contact centers together. What others refer to comes first.
 */
export const REFERENCE_TABLES = [
  'contact_centers',
  'tokens',
  'dialects',
  'import_counts',
  'migrations',
] as const;

/** Tables whose rows lie on the node of their contact center. What others refer to comes first. */
export const DISTRIBUTED_TABLES = [
  'roles',
  'teams',
  'users',
  'user_extensions',
  'user_terms',
  'dialect_numbers',
  'retired_numbers',
  'dialect_counters',
  'number_counts',
  'recordings',
  'recording_counts',
  'signing_keys',
  'audit_events',
] as const;

/** The column by which tables are distributed. */
export const SHARD_KEY = 'contact_center_id';
/** The table whose nodes the others' rows follow. */
const [ANCHOR] = DISTRIBUTED_TABLES;

/**
 * Run on each new connection. Citus plans most of our statements for their values alone, and refuses one whose
 * plan has to hold for all (citusdata/citus#7813).
 */
export const ADAPT_TO_CITUS =
  "select set_config('plan_cache_mode', 'auto', false) from pg_extension where extname = 'citus'";

interface Placed {
  readonly kind: string;
  readonly column: string;
  readonly group: string;
}

const ask = (reader: Reader, name: string, sql: string) =>
  reader.read({ name: `sharding.${name}`, sql, parameters: [] }, {});

async function needCitus(reader: Reader): Promise<void> {
  const [here] = await ask(reader, 'extension', "select 1 from pg_extension where extname = 'citus'");
  if (here !== undefined) return;
  const [offered] = await ask(
    reader,
    'offered',
    "select 1 from pg_available_extensions where name = 'citus'",
  );
  throw new Failure(
    'precondition',
    offered === undefined
      ? 'this PostgreSQL has no Citus; install it on every node, or stay with one server, which needs none of this'
      : 'Citus is installed but not made in this database; run in it: create extension citus',
  );
}

/** How Citus has each table of ours. */
async function readPlaced(reader: Reader): Promise<Map<string, Placed>> {
  const rows = await ask(
    reader,
    'placed',
    `select relname::text, citus_table_type, coalesce(distribution_column, ''), colocation_id::text
     from citus_tables join pg_class on pg_class.oid = table_name::oid
     where relnamespace = current_schema()::regnamespace`,
  );
  return new Map(
    rows.map(([name, kind, column, group]) => [
      String(name),
      { kind: String(kind), column: String(column), group: String(group) },
    ]),
  );
}

function refuseOther(table: string): Failure {
  return new Failure(
    'precondition',
    `the table ${table} is distributed in another way than Rollcall's; run: select undistribute_table('${table}'), then this again`,
  );
}

/** Those calls that are still to be made, in order. @throws Failure precondition where a table lies otherwise */
function callsFor(placed: ReadonlyMap<string, Placed>): string[] {
  const calls: string[] = [];
  // Tables that Citus merely knows of ("local") are as those that it does not.
  const found = (table: string) => (placed.get(table)?.kind === 'local' ? undefined : placed.get(table));
  for (const table of REFERENCE_TABLES) {
    const is = found(table);
    if (is === undefined) calls.push(`select create_reference_table('${table}')`);
    else if (is.kind !== 'reference') throw refuseOther(table);
  }
  for (const table of DISTRIBUTED_TABLES) {
    const is = found(table);
    if (is === undefined) {
      const beside = table === ANCHOR ? 'none' : ANCHOR;
      calls.push(`select create_distributed_table('${table}', '${SHARD_KEY}', colocate_with => '${beside}')`);
    } else if (
      is.kind !== 'distributed' ||
      is.column !== SHARD_KEY ||
      is.group !== placed.get(ANCHOR)?.group
    ) {
      throw refuseOther(table);
    }
  }
  return calls;
}

/**
 * Spreads the tables over the nodes of Citus, each in a transaction of its own, so that what was broken off goes on
 * where it stopped; what is as it should be is left alone.
 * @param dryRun tells what would be run, and runs nothing
 * @returns the statements that were run
 * @throws Failure precondition where there is no Citus, or tables lie in another way
 */
export async function distribute(engine: Engine, dryRun: boolean): Promise<readonly string[]> {
  await needCitus(engine);
  const calls = callsFor(await readPlaced(engine));
  if (dryRun) return calls;
  for (const sql of calls) {
    await engine.transaction([], (transaction) =>
      transaction.run({ name: 'sharding.call', sql, parameters: [] }, {}),
    );
  }
  return calls;
}

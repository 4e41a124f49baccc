import type { Reader } from '../engine.ts';
import { type Finding, inspectClock } from '../inspect.ts';

/** The oldest PostgreSQL that its makers still keep, as `server_version_num` says it. */
const OLDEST = 150_000;
/** Settings that an acknowledged write needs, and what is lost without. */
const SETTINGS: readonly (readonly [name: string, isGood: (value: string) => boolean, mend: string])[] = [
  ['fsync', (value) => value === 'on', 'a crash may damage the whole database; set it to on'],
  ['full_page_writes', (value) => value === 'on', 'a crash may damage pages; set it to on'],
  [
    'synchronous_commit',
    (value) => value !== 'off',
    'a crash may lose writes that were acknowledged; set it to on',
  ],
  [
    'zero_damaged_pages',
    (value) => value === 'off',
    'damaged pages are emptied as they are read; set it to off',
  ],
  [
    'ignore_checksum_failure',
    (value) => value === 'off',
    'damaged pages are read as if they were whole, and written back; set it to off',
  ],
  ['server_encoding', (value) => value === 'UTF8', 'names in other scripts are refused; make it with UTF8'],
];
/** Clocks further apart than this, in milliseconds, show in expiries and retention. */
const SKEW = 2000;

const ask = async (reader: Reader, name: string, sql: string): Promise<string> => {
  const [row] = await reader.read({ name: `doctor.${name}`, sql, parameters: [] }, {});
  return String(row?.[0] ?? '');
};

/** Connections that this user may have in this database: the least of what server, database and role say. */
const MAY_CONNECT = `select least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
      - coalesce(current_setting('reserved_connections', true), '0')::int,
    (select nullif(datconnlimit, -1) from pg_database where datname = current_database()),
    (select nullif(rolconnlimit, -1) from pg_roles where rolname = current_user))`;
const MISSING_PRIVILEGES = `select coalesce(string_agg(distinct missing, ', '), '') from (
    select wanted || ' on ' || relname as missing
    from pg_class cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as wanted
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and not has_table_privilege(pg_class.oid, wanted)
    union all
    select 'owner of ' || relname from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
      and not pg_has_role(relowner, 'USAGE')
    union all
    select 'CREATE in the schema' where not has_schema_privilege(current_schema(), 'CREATE')
  ) as each_missing`;
/** A crash empties unlogged tables, and standbys and backups of the log lack them. */
const UNLOGGED = `select coalesce(string_agg(relname, ', ' order by relname), '') from pg_class
    where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and relpersistence <> 'p'`;
/** Names of what is missing that are told at most: there may be as many as tables. */
const MOST_TOLD = 3;

/** The first few of a list, and how many more there are. */
function shorten(list: string): string {
  const all = list.split(', ');
  const more = all.length - MOST_TOLD;
  return more > 0 ? `${all.slice(0, MOST_TOLD).join(', ')} and ${more} more` : list;
}

/** Names of settings that were asked for with the connection, and are not as they were asked for. */
async function findLacking(
  reader: Reader,
  session: Readonly<Record<string, string>>,
  isCitus: boolean,
): Promise<string[]> {
  const rows = await reader.read(
    { name: 'doctor.session', sql: 'select name, setting from pg_settings', parameters: [] },
    {},
  );
  const found = new Map(rows.map(([name, value]) => [String(name), String(value)]));
  // Plans are chosen otherwise there, by ourselves.
  const checked = Object.keys(session).filter((name) => !(isCitus && name === 'plan_cache_mode'));
  return checked.filter((name) => found.get(name) !== session[name]);
}

/**
 * Looks at the server's version, settings that lose data, connections, rights, and clocks.
 * @param now of this machine
 * @param needed connections that a server and a command take at most
 * @param session settings that our sessions are to have
 */
export async function inspectDatabase(
  reader: Reader,
  now: number,
  needed: number,
  session: Readonly<Record<string, string>>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (check: string, isGood: boolean, good: string, bad: string) =>
    findings.push({ check, isGood, detail: isGood ? good : bad });

  const version = await ask(reader, 'version', "select current_setting('server_version')");
  const number = Number(await ask(reader, 'number', "select current_setting('server_version_num')"));
  add('PostgreSQL', number >= OLDEST, version, `${version} is no longer kept by its makers; take 18`);
  for (const [name, isGood, mend] of SETTINGS) {
    const value = await ask(reader, name, `select current_setting('${name}')`);
    add(name, isGood(value), value, `is ${value}: ${mend}`);
  }
  const unlogged = await ask(reader, 'unlogged', UNLOGGED);
  add(
    'unlogged tables',
    unlogged === '',
    'none',
    `${shorten(unlogged)}: a crash empties them; alter table ... set logged`,
  );
  const extensions = await ask(
    reader,
    'extensions',
    "select coalesce(string_agg(extname || ' ' || extversion, ', ' order by extname), 'none') from pg_extension where extname <> 'plpgsql'",
  );
  add('extensions', true, extensions, '');
  const connections = Number(await ask(reader, 'connections', MAY_CONNECT));
  add(
    'connections',
    connections >= needed,
    `${connections}, of which ${needed} are needed`,
    `only ${connections} of the ${needed} that are needed; raise max_connections or the limit of role or database, or give fewer --workers`,
  );
  const lacking = await findLacking(reader, session, / citus|^citus/.test(extensions));
  add(
    'session',
    lacking.length === 0,
    'ok',
    `not in force: ${shorten(lacking.join(', '))}; a pooler between (PgBouncer) that drops them is not supported: give the server itself`,
  );
  const missing = await ask(reader, 'privileges', MISSING_PRIVILEGES);
  add(
    'privileges',
    missing === '',
    'ok',
    `missing: ${shorten(missing)}; give the tables to this user with alter table ... owner to`,
  );
  const invalid = await ask(
    reader,
    'indexes',
    'select count(*) from pg_index join pg_class on pg_class.oid = indexrelid where not indisvalid and relnamespace = current_schema()::regnamespace',
  );
  add('indexes', invalid === '0', 'ok', `${invalid} are not valid; run reindex`);
  const theirs = Number(
    await ask(reader, 'now', 'select floor(extract(epoch from clock_timestamp()) * 1000)'),
  );
  const apart = Math.abs(theirs - now);
  add(
    'clock skew',
    apart <= SKEW,
    `${apart} ms`,
    `the database's clock and this machine's are ${Math.round(apart / 1000)} s apart; set them right`,
  );
  findings.push(await inspectClock(reader, now));
  return findings;
}

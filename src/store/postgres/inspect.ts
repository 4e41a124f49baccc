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
  ['server_encoding', (value) => value === 'UTF8', 'names in other scripts are refused; make it with UTF8'],
];
/** Clocks further apart than this, in milliseconds, show in expiries and retention. */
const SKEW = 2000;

const ask = async (reader: Reader, name: string, sql: string): Promise<string> => {
  const [row] = await reader.read({ name: `doctor.${name}`, sql, parameters: [] }, {});
  return String(row?.[0] ?? '');
};

/** Looks at the server's version, settings that lose data, and clocks. @param now of this machine */
export async function inspectDatabase(reader: Reader, now: number): Promise<Finding[]> {
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

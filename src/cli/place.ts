import { describeDatabase, type StorePlace } from '../store/open.ts';
import { asUsage, UsageError } from './output.ts';

/**
 * A place of a store as a flag names it: `sqlite:DIR`, a database's URL, or `database` for the one that
 * --database-url or the environment names. @throws UsageError
 */
export function readPlace(
  flag: string,
  text: string,
  { databaseUrl }: { readonly databaseUrl?: string },
): StorePlace {
  if (text.startsWith('sqlite:') && text.length > 'sqlite:'.length) {
    return { data: text.slice('sqlite:'.length) };
  }
  const url = text === 'database' ? databaseUrl : text;
  if (url === undefined) throw new UsageError(`${flag} database: set ROLLCALL_DATABASE_URL`);
  if (!/^postgres(ql)?:/.test(url)) {
    throw new UsageError(`${flag} takes sqlite:DIR, postgres://... or database`);
  }
  asUsage(() => describeDatabase(url));
  return { data: '', databaseUrl: url };
}

import { existsSync } from 'node:fs';
import { Failure } from '../errors.ts';
import {
  type Applied,
  compileMigration,
  MIGRATIONS,
  readApplied,
  refuseUnknown,
  UNFINISHED,
} from './migrations/index.ts';
import { openEngine, type StorePlace, storePath } from './open.ts';

/** A migration that is still to be run, with its SQL. */
export interface Pending {
  readonly name: string;
  readonly statements: readonly string[];
}

/** How the schema of a store stands to what this program knows. */
export interface SchemaState {
  readonly engine: 'SQLite' | 'PostgreSQL';
  /** The engine's own version; null where nothing was there to ask. */
  readonly engineVersion: string | null;
  readonly applied: readonly Applied[];
  readonly pending: readonly Pending[];
  /** Why this program will not open it: a newer one wrote it, or it is an unfinished copy. */
  readonly refusal: string | null;
}

const SMALL_CACHE_MIB = 8;

/** Reads how a store's schema stands, and changes nothing. @throws Failure unavailable */
export async function readSchemaState(place: StorePlace): Promise<SchemaState> {
  const isFile = place.databaseUrl === undefined;
  const engine = isFile ? 'SQLite' : 'PostgreSQL';
  if (isFile && !existsSync(storePath(place.data))) return compare(engine, null, []);
  const opened = await openEngine({ ...place, cacheMiB: SMALL_CACHE_MIB });
  try {
    const sql = isFile ? 'select sqlite_version()' : "select current_setting('server_version')";
    const [version] = await opened.engine.read({ name: 'schema.version', sql, parameters: [] }, {});
    return compare(engine, String(version?.[0]), await readApplied(opened.engine));
  } finally {
    await opened.engine.close();
  }
}

function compare(
  engine: SchemaState['engine'],
  engineVersion: string | null,
  found: readonly Applied[],
): SchemaState {
  const applied = found.filter(({ number }) => number !== UNFINISHED);
  const refusal = tellRefusal(found);
  const flavor = engine === 'SQLite' ? 'sqlite' : 'postgres';
  const pending = (refusal === null ? MIGRATIONS.slice(applied.length) : []).map((migration) => ({
    name: migration.name,
    statements: compileMigration(migration, flavor),
  }));
  return { engine, engineVersion, applied, pending, refusal };
}

function tellRefusal(found: readonly Applied[]): string | null {
  try {
    refuseUnknown(found);
    return null;
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

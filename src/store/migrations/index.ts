import { sql } from 'kysely';
import { Failure } from '../../errors.ts';
import type { Engine, Reader, Statement, Transaction } from '../engine.ts';
import { type Builder, createBuilder, type Flavor, int, Statements, text } from '../statements.ts';
import { firstDirectory } from './0001-directory.ts';
import { recordings } from './0002-recordings.ts';
import { keyEnds } from './0003-key-ends.ts';
import { epochs } from './0004-epochs.ts';

/** What a migration writes its schema with. */
export interface SchemaWriter {
  readonly db: Builder;
  /** Column type for integers up to 2^53. */
  readonly big: 'integer' | 'bigint';
  /** Column type for texts: compared by their code points, whatever the database's own order is. */
  readonly text: string;
  /** What ends a table that is found by its whole key, and one that is not. */
  readonly keyed: string;
  readonly plain: string;
}

/** A step of the schema: gives its statements in order. Never changed once it has been released. */
export interface Migration {
  readonly name: string;
  readonly statements: (writer: SchemaWriter) => readonly { compile(): { sql: string } }[];
}

/** Every migration, in order; the same list for every engine. */
export const MIGRATIONS: readonly Migration[] = [firstDirectory, recordings, keyEnds, epochs];

/** A migration that a store has had. */
export interface Applied {
  readonly number: number;
  readonly name: string;
  /** When, in milliseconds since 1970 UTC. */
  readonly at: number;
}

/** The number of a mark, below all migrations, that a store is being filled and is not whole yet. */
export const UNFINISHED = 0;

function plainStatement(name: string, sql: string): Statement {
  return { name: `schema.${name}`, sql, parameters: [] };
}

const LIST = plainStatement('list', 'select number, name, applied_at from migrations order by number');

async function readRows(reader: Reader): Promise<Applied[]> {
  const rows = await reader.read(LIST, {});
  return rows.map(([number, name, at]) => ({ number: Number(number), name: String(name), at: Number(at) }));
}

/** What a store has had, in order; empty where there is no store yet. @throws Failure */
export async function readApplied(reader: Reader): Promise<Applied[]> {
  try {
    return await readRows(reader);
  } catch (error) {
    if (isNoTable(error)) return [];
    if (isNoColumn(error)) throw foreignTables(error);
    throw error;
  }
}

/** What is said of tables that have our names and are not ours. */
export function foreignTables(cause?: unknown): Failure {
  return new Failure(
    'precondition',
    'there are tables of another program; give another folder with --data, another database, or another schema by options=-csearch_path%3DNAME in its URL',
    { cause },
  );
}

function isNoColumn(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^no such column/.test(error.message) || ('code' in error && error.code === '42703');
}

/** Whether an engine says that a table is not there. */
export function isNoTable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return /^no such table/.test(error.message) || ('code' in error && error.code === '42P01');
}

/** Checks that what a store has had is the beginning of what this program knows. @throws Failure precondition */
export function refuseUnknown(applied: readonly Applied[], migrations = MIGRATIONS): void {
  if (applied[0]?.number === UNFINISHED) {
    throw new Failure(
      'precondition',
      'this store is an unfinished copy; finish it with the rollcall db copy that began it, or give another place',
    );
  }
  if (applied.length > migrations.length || applied.some(({ name }, at) => migrations[at]?.name !== name)) {
    throw new Failure(
      'precondition',
      'this store was written by a newer Rollcall; start that version, or restore a backup made by this one',
    );
  }
}

function createWriter(flavor: Flavor): SchemaWriter {
  return {
    db: createBuilder(flavor),
    big: flavor === 'sqlite' ? 'integer' : 'bigint',
    text: flavor === 'sqlite' ? 'text' : 'text collate "C"',
    keyed: flavor === 'sqlite' ? 'strict, without rowid' : '',
    plain: flavor === 'sqlite' ? 'strict' : '',
  };
}

/** The SQL of a migration, statement by statement. */
export function compileMigration(migration: Migration, flavor: Flavor): string[] {
  return migration.statements(createWriter(flavor)).map((statement) => statement.compile().sql);
}

/**
 * Brings the schema up to date in one transaction, so that a crash leaves the old schema or the new one.
 * @param migrations those to have been run at the end
 * @returns those that were run now
 * @throws Failure precondition when the store was written by a newer Rollcall, or is an unfinished copy.
 */
export async function migrate(
  engine: Engine,
  flavor: Flavor,
  now: number,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly Migration[]> {
  const writer = createWriter(flavor);
  const create = writer.db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('number', 'integer', (column) => column.primaryKey())
    .addColumn('name', sql.raw(writer.text), (column) => column.notNull())
    .addColumn('applied_at', writer.big, (column) => column.notNull())
    .modifyEnd(sql.raw(writer.plain))
    .compile().sql;
  const insert = new Statements(flavor).get('schema.mark', '', () => ({
    compile: () =>
      sql`insert into migrations (number, name, applied_at)
          values (${int('number')}, ${text('name')}, ${int('now')})`.compile(writer.db),
  }));
  // Most starts find nothing to do, and must not wait for another process's writer to learn it.
  const known = await readRows(engine).catch(() => []);
  if (known.length === migrations.length && known.every(({ name }, at) => migrations[at]?.name === name)) {
    return [];
  }
  return engine.transaction([], async (transaction: Transaction) => {
    await transaction.run(plainStatement('create', create), {});
    const applied = await readRows(transaction);
    refuseUnknown(applied, migrations);
    for (const [at, migration] of migrations.entries()) {
      if (at < applied.length) continue;
      for (const statement of compileMigration(migration, flavor)) {
        await transaction.run(plainStatement(migration.name, statement), {});
      }
      await transaction.run(insert, { number: at + 1, name: migration.name, now });
    }
    return migrations.slice(applied.length);
  });
}

import { sql } from 'kysely';
import { Failure } from '../../errors.ts';
import type { Engine, Statement, Transaction } from '../engine.ts';
import { type Builder, createBuilder, type Flavor, int, Statements, text } from '../statements.ts';
import { firstDirectory } from './0001-directory.ts';
import { recordings } from './0002-recordings.ts';

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
export const MIGRATIONS: readonly Migration[] = [firstDirectory, recordings];

function plainStatement(name: string, sql: string): Statement {
  return { name: `schema.${name}`, sql, parameters: [] };
}

/**
 * Brings the schema up to date in one transaction, so that a crash leaves the old schema or the new one.
 * @throws Failure precondition when the store was written by a newer Rollcall.
 */
export async function migrate(engine: Engine, flavor: Flavor, now: number): Promise<void> {
  const writer: SchemaWriter = {
    db: createBuilder(flavor),
    big: flavor === 'sqlite' ? 'integer' : 'bigint',
    text: flavor === 'sqlite' ? 'text' : 'text collate "C"',
    keyed: flavor === 'sqlite' ? 'strict, without rowid' : '',
    plain: flavor === 'sqlite' ? 'strict' : '',
  };
  const create = writer.db.schema
    .createTable('migrations')
    .ifNotExists()
    .addColumn('number', 'integer', (column) => column.primaryKey())
    .addColumn('name', sql.raw(writer.text), (column) => column.notNull())
    .addColumn('applied_at', writer.big, (column) => column.notNull())
    .modifyEnd(sql.raw(writer.plain))
    .compile().sql;
  const insert = new Statements(createBuilder(flavor)).get('schema.mark', '', () => ({
    compile: () =>
      sql`insert into migrations (number, name, applied_at)
          values (${int('number')}, ${text('name')}, ${int('now')})`.compile(writer.db),
  }));
  const list = plainStatement('list', 'select number, name from migrations order by number');
  // Most starts find nothing to do, and must not wait for another process's writer to learn it.
  const known = await engine.read(list, {}).catch(() => []);
  if (known.length === MIGRATIONS.length && known.every(([, name], at) => MIGRATIONS[at]?.name === name))
    return;
  await engine.transaction([], async (transaction: Transaction) => {
    await transaction.run(plainStatement('create', create), {});
    const applied = await transaction.read(list, {});
    if (applied.length > MIGRATIONS.length || applied.some(([, name], at) => MIGRATIONS[at]?.name !== name)) {
      throw new Failure(
        'precondition',
        'this store was written by a newer Rollcall; start that version, or restore a backup made by this one',
      );
    }
    for (const [at, migration] of MIGRATIONS.entries()) {
      if (at < applied.length) continue;
      for (const statement of migration.statements(writer)) {
        await transaction.run(plainStatement(migration.name, statement.compile().sql), {});
      }
      await transaction.run(insert, { number: at + 1, name: migration.name, now });
    }
  });
}

import {
  type Compilable,
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { Cell, Inserter, Statement } from './engine.ts';
import type { Schema } from './schema/index.ts';

/** A place in a statement that is filled each time it runs. */
class Parameter {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A named number to be given when the statement runs. The cast tells PostgreSQL the type, and keeps
 * SQLite's planner from looking at the value: where it has looked, it prepares the statement again each
 * time that a value is bound, at many times the cost of a keyed read.
 */
export function int(name: string): RawBuilder<number> {
  return sql<number>`cast(${new Parameter(name)} as bigint)`;
}

/** A named text to be given when the statement runs; cast as `int` is. */
export function text(name: string): RawBuilder<string> {
  return sql<string>`cast(${new Parameter(name)} as text)`;
}

/** Any named value that is written and not compared. */
export function cell<T extends Cell>(name: string): RawBuilder<T> {
  return sql<T>`${new Parameter(name)}`;
}

export type Flavor = 'sqlite' | 'postgres';
export type Builder = Kysely<Schema>;

/** Kysely as a writer of SQL only: nothing is ever run through it. */
export function createBuilder(flavor: Flavor): Builder {
  return new Kysely<Schema>({
    dialect: {
      createDriver: () => new DummyDriver(),
      createAdapter: () => (flavor === 'sqlite' ? new SqliteAdapter() : new PostgresAdapter()),
      createQueryCompiler: () =>
        flavor === 'sqlite' ? new SqliteQueryCompiler() : new PostgresQueryCompiler(),
      createIntrospector: (db) =>
        flavor === 'sqlite' ? new SqliteIntrospector(db) : new PostgresIntrospector(db),
    },
  });
}

function isCell(value: unknown): value is Cell {
  return value === null || typeof value === 'string' || typeof value === 'number';
}

/** Statements compiled once and found again by name and variant. */
export class Statements {
  readonly #builder: Builder;
  readonly #compiled = new Map<string, Statement>();

  constructor(builder: Builder) {
    this.#builder = builder;
  }

  /**
   * The statement of that name.
   * @param variant what else its text depends on (fields, list sizes); a small, bounded set
   */
  get(name: string, variant: string, build: (db: Builder) => Compilable): Statement {
    const key = `${name} ${variant}`;
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const compiled = build(this.#builder).compile();
    const statement: Statement = {
      name,
      sql: compiled.sql,
      parameters: compiled.parameters.map((parameter) => {
        if (parameter instanceof Parameter) return parameter.name;
        if (isCell(parameter)) return { constant: parameter };
        throw new Error(`${name}: a parameter of a kind that engines cannot bind`);
      }),
    };
    this.#compiled.set(key, statement);
    return statement;
  }
}

/** Inserts into a table, any number of rows in one statement. */
export function inserterOf(
  statements: Statements,
  table: keyof Schema,
  columns: readonly string[],
): Inserter {
  return {
    columns,
    statement: (rows) =>
      statements.get(`${table}.insert`, String(rows), (db) => {
        const cells = () => sql`(${sql.join(columns.map((column) => cell(column)))})`;
        const values = sql.join(Array.from({ length: rows }, cells));
        const names = sql.join(columns.map((column) => sql.ref(column)));
        return {
          compile: () => sql`insert into ${sql.table(table)} (${names}) values ${values}`.compile(db),
        };
      }),
  };
}

/**
 * A list for `IN`: as many parameters as the next power of two, so that lists of every length share a
 * few statements. The spare places repeat the last value.
 */
export function padded(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, size)));
}

/** The parameters `prefix0`, `prefix1` ... of a padded list. */
export function texts(prefix: string, size: number): RawBuilder<string>[] {
  return Array.from({ length: size }, (_, at) => text(`${prefix}${at}`));
}

/** The parameters `prefix0`, `prefix1` ... of a padded list. */
export function ints(prefix: string, size: number): RawBuilder<number>[] {
  return Array.from({ length: size }, (_, at) => int(`${prefix}${at}`));
}

/** The values of a padded list; an empty list gives places that equal nothing. */
export function listValues(prefix: string, values: readonly Cell[], size: number): Record<string, Cell> {
  const filled: Record<string, Cell> = {};
  for (let at = 0; at < size; at += 1) filled[`${prefix}${at}`] = values[at] ?? values.at(-1) ?? null;
  return filled;
}

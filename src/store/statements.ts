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
import type { Cell, Inserter, Parameter, Statement } from './engine.ts';
import type { Schema } from './schema/index.ts';

/** A place in a statement that is filled each time it runs. */
class Place {
  readonly parameter: Parameter;
  constructor(parameter: Parameter) {
    this.parameter = parameter;
  }
}

/**
 * A named number to be given when the statement runs. The cast tells PostgreSQL the type, and keeps
 * SQLite's planner from looking at the value: where it has looked, it prepares the statement again each
 * time that a value is bound, at many times the cost of a keyed read. It looks at LIMIT and OFFSET as well:
 * what is constant there is written out, by `sql.lit`.
 */
export function int(name: Parameter): RawBuilder<number> {
  return sql<number>`cast(${new Place(name)} as bigint)`;
}

/** A named text to be given when the statement runs; cast as `int` is. */
export function text(name: Parameter): RawBuilder<string> {
  return sql<string>`cast(${new Place(name)} as text)`;
}

/** Any named value that is written and not compared. */
export function cell<T extends Cell>(name: Parameter): RawBuilder<T> {
  return sql<T>`${new Place(name)}`;
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
  /** Whether one value can be named at several places of a statement. */
  readonly namesAgain: boolean;
  readonly #builder: Builder;
  readonly #compiled = new Map<string, Statement>();
  readonly #onCompiled: (statement: Statement) => void;

  /** @param onCompiled told of each statement, whether it is ever run or not */
  constructor(flavor: Flavor, onCompiled: (statement: Statement) => void = () => {}) {
    this.#builder = createBuilder(flavor);
    this.#onCompiled = onCompiled;
    this.namesAgain = flavor === 'postgres';
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
        if (parameter instanceof Place) return parameter.parameter;
        if (isCell(parameter)) return { constant: parameter };
        throw new Error(`${name}: a parameter of a kind that engines cannot bind`);
      }),
    };
    this.#compiled.set(key, statement);
    this.#onCompiled(statement);
    return statement;
  }
}

/** Cells that one insert takes about at most; longer statements were slower. */
const MOST_CELLS = 256;

/** How many rows of that many cells are put into one statement at most. */
const mostRows = (width: number) => 2 ** Math.floor(Math.log2(MOST_CELLS / width));

/** Inserts into a table, any number of rows in one statement. */
export function inserterOf(
  statements: Statements,
  table: keyof Schema,
  columns: readonly string[],
): Inserter {
  const target = sql.join(columns.map((column) => sql.ref(column)));
  const row = () => sql`(${sql.join(columns.map((column) => cell(column)))})`;
  return {
    width: columns.length,
    most: mostRows(columns.length),
    statement: (rows) =>
      statements.get(`${table}.insert`, String(rows), (db) => {
        const values = sql.join(Array.from({ length: rows }, row));
        return {
          compile: () => sql`insert into ${sql.table(table)} (${target}) values ${values}`.compile(db),
        };
      }),
  };
}

/** Columns by name, each with how its cell is written. */
export type Columns = Readonly<Record<string, (name: string) => RawBuilder<Cell>>>;

/** Inserts of rows that all have the same cells in some columns, which are given once. */
export function sharingInserterOf(
  statements: Statements,
  table: keyof Schema,
  shared: Columns,
  columns: Columns,
): Inserter {
  const names = Object.keys(columns);
  const target = sql.join([...Object.keys(shared), ...names].map((name) => sql.ref(name)));
  const rowsOf = statements.namesAgain ? rowsNamingAgain : rowsPicked;
  return {
    width: names.length,
    most: mostRows(names.length),
    statement: (rows) =>
      statements.get(`${table}.insert`, String(rows), (db) => {
        const source = rowsOf(shared, columns, rows);
        return { compile: () => sql`insert into ${sql.table(table)} (${target}) ${source}`.compile(db) };
      }),
  };
}

const written = (columns: Columns) => Object.entries(columns).map(([name, write]) => write(name));

/** Rows that each name the shared cells: rows that are picked from others are routed to no shard of PostgreSQL's. */
function rowsNamingAgain(shared: Columns, columns: Columns, rows: number): RawBuilder<unknown> {
  const cells = (of: Columns) => Object.keys(of).map((name) => cell(name));
  const again = Object.keys(shared).map((_, at) => sql.raw(`$${at + 1}`));
  return sql`values ${sql.join(
    Array.from({ length: rows }, (_, row) => {
      return sql`(${sql.join([...(row === 0 ? cells(shared) : again), ...cells(columns)])})`;
    }),
  )}`;
}

/** Rows of what differs, to each of which the shared cells are added. */
function rowsPicked(shared: Columns, columns: Columns, rows: number): RawBuilder<unknown> {
  const names = Object.keys(columns);
  const first = sql`(${sql.join(written(columns))})`;
  const row = () => sql`(${sql.join(names.map((name) => cell(name)))})`;
  const picked = sql.join([...written(shared), ...names.map((_, at) => sql.ref(`column${at + 1}`))]);
  const values = sql.join([first, ...Array.from({ length: rows - 1 }, row)]);
  return sql`select ${picked} from (values ${values}) as each_row`;
}

/**
 * A list for `IN`: as many parameters as the next power of two, so that lists of every length share a
 * few statements. The spare places repeat the last value.
 */
export function padded(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, size)));
}

/** The places of a padded list of texts, which has this name among the values. */
export function texts(list: string, size: number): RawBuilder<string>[] {
  return Array.from({ length: size }, (_, at) => text({ list, at }));
}

/** The places of a padded list of numbers, which has this name among the values. */
export function ints(list: string, size: number): RawBuilder<number>[] {
  return Array.from({ length: size }, (_, at) => int({ list, at }));
}

/** The values of a padded list; an empty list gives places that equal nothing. */
export function listValues(name: string, list: readonly Cell[], size: number): Record<string, Cell[]> {
  const last = list.at(-1) ?? null;
  return { [name]: Array.from({ length: size }, (_, at) => list[at] ?? last) };
}

/** What a database engine does for the store: run compiled statements, in or out of a transaction. */

/** A value that every engine can bind and give back. */
export type Cell = string | number | null;

/** Values for a statement's parameters, by name. */
export type Values = Readonly<Record<string, Cell>>;

/** A statement compiled once: its text, and which named value goes where. */
export interface Statement {
  /** For timings and plans: "users.page". */
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly (string | { readonly constant: Cell })[];
}

/** Inserts of one table: a statement for each number of rows that is put into one. */
export interface Inserter {
  readonly columns: readonly string[];
  /** @param rows a power of two */
  statement(rows: number): Statement;
}

export interface Reader {
  /** All rows, each as its cells in the order of the statement's columns. */
  read(statement: Statement, values: Values): Promise<Cell[][]>;
}

export interface Transaction extends Reader {
  run(statement: Statement, values: Values): Promise<void>;
  /** Runs a statement once for each set of values. */
  runEach(statement: Statement, rows: readonly Values[]): Promise<void>;
  /** Inserts rows, each as its cells in the order of the inserter's columns, many in one statement. */
  insert(inserter: Inserter, rows: readonly (readonly Cell[])[]): Promise<void>;
}

/** Rows that one insert holds at most. */
const MOST_ROWS = 64;

/** Cuts rows into parts whose sizes are powers of two: few statements serve lists of every length. */
export function* insertParts<T>(rows: readonly T[]): Generator<readonly T[]> {
  let at = 0;
  for (let size = MOST_ROWS; size >= 1; size /= 2) {
    for (; rows.length - at >= size; at += size) yield rows.slice(at, at + size);
  }
}

export interface Engine extends Reader {
  /**
   * A number that differs once anything was written since, by whichever process; null where the engine
   * cannot tell for less than a keyed read. What was read at a mark holds while the mark is the same.
   */
  mark(): number | null;
  /** Runs `work` in one writing transaction: kept when it resolves, dropped when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Told of each statement that ran; seconds include waiting for the engine, not for the event loop. */
export type Observe = (statement: Statement, cells: readonly Cell[], seconds: number) => void;

/** Puts a statement's values in the order of its parameters. */
export function bind(statement: Statement, values: Values): Cell[] {
  return statement.parameters.map((parameter) => {
    if (typeof parameter !== 'string') return parameter.constant;
    const value = values[parameter];
    if (value === undefined) throw new Error(`${statement.name}: no value for ${parameter}`);
    return value;
  });
}

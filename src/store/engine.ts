/** What a database engine does for the store: run compiled statements, in or out of a transaction. */

/** A value that every engine can bind and give back. */
export type Cell = string | number | null;

/** Values for a statement's parameters, by name; a list for those of an `IN`. */
export type Values = Readonly<Record<string, Cell | readonly Cell[]>>;

/** Which value goes to a place of a statement: one of a name, one of a list, or always the same. */
export type Parameter = string | { readonly list: string; readonly at: number } | { readonly constant: Cell };

/** A statement compiled once: its text, and which named value goes where. */
export interface Statement {
  /** For timings and plans: "users.page". */
  readonly name: string;
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** Inserts of one table: a statement for each number of rows that is put into one. */
export interface Inserter {
  /** How many cells a row has, besides those that all rows share. */
  readonly width: number;
  /** How many rows one statement takes at most: a power of two. */
  readonly most: number;
  /** Takes the shared cells, then those of each row. @param rows a power of two */
  statement(rows: number): Statement;
}

export interface Reader {
  /** All rows, each as its cells in the order of the statement's columns. */
  read(statement: Statement, values: Values): Promise<Cell[][]>;
}

export interface Transaction extends Reader {
  run(statement: Statement, values: Values): Promise<void>;
  /** Runs a statement that must change one row; where it changes none, the transaction fails with NoRowChanged. */
  runOne(statement: Statement, values: Values): Promise<void>;
  /** Runs a statement once for each set of values. */
  runEach(statement: Statement, rows: readonly Values[]): Promise<void>;
  /**
   * Inserts rows, many in one statement.
   * @param cells those of each row, row behind row
   * @param shared the cells of the columns that are the same in all rows
   */
  insert(inserter: Inserter, cells: readonly Cell[], shared?: readonly Cell[]): Promise<void>;
}

/** What a statement was to change is not as it was thought to be. */
export class NoRowChanged extends Error {}

/** Cuts rows into parts whose sizes are powers of two: few statements serve lists of every length. */
export function* insertParts(
  inserter: Inserter,
  cells: readonly Cell[],
  shared: readonly Cell[],
): Generator<{ readonly statement: Statement; readonly cells: readonly Cell[] }> {
  let at = 0;
  for (let rows = inserter.most; rows >= 1; rows /= 2) {
    const size = rows * inserter.width;
    for (; cells.length - at >= size; at += size) {
      yield { statement: inserter.statement(rows), cells: shared.concat(cells.slice(at, at + size)) };
    }
  }
}

export interface Engine extends Reader {
  /** Whether transactions of different contact centers go on side by side, each of them locking its own. */
  readonly isParallel: boolean;
  /**
   * A number that differs once anything was written since, by whichever process; null where the engine
   * cannot tell for less than a keyed read. What was read at a mark holds while the mark is the same.
   */
  mark(): number | null;
  /**
   * Grows where from now on another server may answer than before, which may lack what that one had written.
   * What was read while it stayed the same was read of one server.
   */
  era(): number;
  /**
   * Runs `work` in one writing transaction: kept when it resolves, dropped when it rejects. Where it met
   * another one it may be run again from its start: what it leaves outside of the store must bear that.
   * @param contactCenters those whose rows it reads in order to write them: no other transaction that names
   * one of them runs meanwhile, in whichever process
   */
  transaction<T>(
    contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T>;
  close(): Promise<void>;
}

/** Told of each statement that ran; seconds include waiting for the engine, not for the event loop. */
export type Observe = (statement: Statement, cells: readonly Cell[], seconds: number) => void;

/** Puts a statement's values in the order of its parameters. */
export function bind(statement: Statement, values: Values): Cell[] {
  return statement.parameters.map((parameter) => {
    if (typeof parameter === 'string') return needCell(statement, parameter, values[parameter]);
    if ('constant' in parameter) return parameter.constant;
    const list = values[parameter.list];
    return needCell(statement, parameter.list, Array.isArray(list) ? list[parameter.at] : undefined);
  });
}

function needCell(statement: Statement, name: string, value: Cell | readonly Cell[] | undefined): Cell {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  throw new Error(`${statement.name}: no value for ${name}`);
}

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

export interface Reader {
  /** All rows, each as its cells in the order of the statement's columns. */
  read(statement: Statement, values: Values): Promise<Cell[][]>;
}

export interface Transaction extends Reader {
  /** Runs a statement once for each set of values. */
  run(statement: Statement, ...values: Values[]): Promise<void>;
}

export interface Engine extends Reader {
  /** Runs `work` in one writing transaction: kept when it resolves, dropped when it rejects. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** Told of each statement that ran; seconds include waiting for the engine, not for the event loop. */
export type Observe = (statement: Statement, values: Values, seconds: number) => void;

/** Puts a statement's values in the order of its parameters. */
export function bind(statement: Statement, values: Values): Cell[] {
  return statement.parameters.map((parameter) => {
    if (typeof parameter !== 'string') return parameter.constant;
    const value = values[parameter];
    if (value === undefined) throw new Error(`${statement.name}: no value for ${parameter}`);
    return value;
  });
}

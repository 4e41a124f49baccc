import type { Cell, Engine, Reader, Transaction } from '../engine.ts';
import type { Flavor, Statements } from '../statements.ts';
import type { Table } from './tables.ts';

/** One state of a store, which stays while others write. */
export interface Snapshot extends Reader {
  tables(): Promise<Table[]>;
  /** All rows in the order of the table's key, a few hundred at a time. One table is read at a time. */
  rows(table: Table): AsyncIterable<Cell[][]>;
  /** By what another process takes hold of the same state; null where there is no such thing. */
  share(): Promise<string | null>;
  close(): Promise<void>;
}

/** A transaction that rows are loaded in. */
export interface Loading extends Pick<Transaction, 'read' | 'run' | 'runOne'> {
  append(table: Table, rows: readonly Cell[][]): Promise<void>;
}

/** A store that rows are loaded into. */
export interface Target {
  readonly flavor: Flavor;
  readonly engine: Engine;
  readonly statements: Statements;
  /** Brings its schema up to date, while no other process does; then runs `work`. */
  prepare(work: () => Promise<void>): Promise<void>;
  /** Runs `work` in one transaction: kept when it resolves, dropped when it rejects. */
  load<T>(work: (loading: Loading) => Promise<T>): Promise<T>;
  snapshot(): Promise<Snapshot>;
  close(): Promise<void>;
}

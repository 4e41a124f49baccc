import {
  bind,
  type Cell,
  type Engine,
  insertParts,
  NoRowChanged,
  type Statement,
  type Transaction,
  type Values,
} from '../engine.ts';
import type { WipingWriter } from '../write-apart.ts';
import { Connection, explain, makeFile, type SqliteOptions } from './connection.ts';
import { WriterThread } from './writer-thread.ts';

/**
 * SQLite in one file. Reads go to one connection and writes to another, so that a read that comes while
 * a transaction awaits something sees none of it.
 */
export class SqliteEngine implements Engine {
  readonly isParallel = false;
  readonly #options: SqliteOptions;
  readonly #reader: Connection;
  readonly #writer: Connection;
  #lastWrite: Promise<unknown> = Promise.resolve();

  /** @throws Failure unavailable when the file cannot be opened or is no store. */
  constructor(options: SqliteOptions) {
    this.#options = options;
    makeFile(options.path);
    try {
      this.#writer = new Connection(options);
      this.#reader = new Connection(options);
    } catch (error) {
      throw explain(error, options.path);
    }
  }

  async read(statement: Statement, values: Values): Promise<Cell[][]> {
    this.#reader.beginTurn();
    return this.#reader.read(statement, bind(statement, values));
  }

  era(): number {
    return 0;
  }

  mark(): number {
    return this.#reader.dataVersion();
  }

  transaction<T>(
    _contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    return this.#inTurn(() => this.#transact(work));
  }

  /** A file has one writer at a time, whatever it writes. */
  #inTurn<T>(write: () => Promise<T>): Promise<T> {
    const result = this.#lastWrite.then(write);
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const writer = this.#writer;
    writer.execute('BEGIN IMMEDIATE');
    try {
      const value = await work({
        read: async (statement, values) => writer.read(statement, bind(statement, values)),
        run: async (statement, values) => {
          writer.run(statement, bind(statement, values));
        },
        runOne: async (statement, values) => {
          if (writer.run(statement, bind(statement, values)) !== 1) throw new NoRowChanged();
        },
        runEach: async (statement, rows) => {
          for (const values of rows) writer.run(statement, bind(statement, values));
        },
        insert: async (inserter, cells, shared = []) => {
          for (const part of insertParts(inserter, cells, shared)) writer.run(part.statement, part.cells);
        },
      });
      writer.execute('COMMIT');
      // Whoever awaits the write sees it, in this turn as well.
      this.#reader.endTurn();
      return value;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (writer.inTransaction) writer.execute('ROLLBACK');
      throw error;
    }
  }

  /** Writing transactions in a thread of their own, beside those of this engine as another process's would be. */
  openThread(): WriterThread {
    return new WriterThread(this.#options, () => this.#reader.endTurn());
  }

  /**
   * The same in turns with those of this engine. One of these that waited for the file would keep this thread
   * from answering the other, which has the file, and neither could go on.
   */
  openThreadInTurn(): WipingWriter {
    const thread = this.openThread();
    return {
      transaction: (contactCenters, work) => this.#inTurn(() => thread.transaction(contactCenters, work)),
      close: () => thread.close(),
      // First what keeps no writer waiting, which is nearly all of it.
      wipe: async () => {
        await thread.checkpoint('passive');
        return this.#inTurn(() => thread.checkpoint('truncate'));
      },
    };
  }

  /** Empties the log, in which what was overwritten in the file can still be read. False where it is in use. */
  wipe(): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#reader.endTurn();
      this.#writer.checkpoint('passive');
      return this.#writer.checkpoint('truncate');
    });
  }

  /** Runs plain SQL alone: schema changes. */
  execute(sql: string): void {
    this.#writer.execute(sql);
    this.#reader.endTurn();
  }

  /** Runs plain SQL on both connections: what each has to take notice of. */
  executeEverywhere(sql: string): void {
    this.#writer.execute(sql);
    this.#reader.endTurn();
    this.#reader.execute(sql);
  }

  /** SQLite's own version. */
  version(): string {
    return this.#reader.sqliteVersion();
  }

  /** How often this process gave up as another one kept the file. */
  timesBusy(): number {
    return this.#reader.timesBusy + this.#writer.timesBusy;
  }

  /** One answer of a pragma, for checks. */
  pragma(name: string): unknown {
    return this.#reader.pragma(name);
  }

  async close(): Promise<void> {
    await this.#lastWrite;
    this.#reader.endTurn();
    this.#reader.close();
    this.#writer.close();
  }
}

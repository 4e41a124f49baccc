import { Worker } from 'node:worker_threads';
import { bind, type Cell, type Engine, type Inserter, type Statement, type Transaction } from '../engine.ts';
import type { SqliteOptions } from './connection.ts';
import { packCells } from './packed-cells.ts';
import { type Answer, fromProblem, type Question, type Run } from './thread-messages.ts';

interface Waiting {
  readonly resolve: (rows: Cell[][]) => void;
  readonly reject: (error: unknown) => void;
}

/** How often an insert of so many rows runs its statements, the longest first. */
function runsOf(inserter: Inserter, cells: readonly Cell[]): Run[] {
  const runs: Run[] = [];
  let left = cells.length / inserter.width;
  for (let rows = inserter.most; rows >= 1; rows /= 2) {
    const times = Math.floor(left / rows);
    left -= times * rows;
    if (times > 0) runs.push({ sql: inserter.statement(rows).sql, cells: rows * inserter.width, times });
  }
  return runs;
}

/**
 * Writing transactions in a thread of their own. What is written is not waited for: whoever writes works on
 * while the thread does, and learns of what failed from the next read, or in the end.
 */
export class WriterThread implements Pick<Engine, 'transaction' | 'close'> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onCommit: () => void;
  readonly #ended: Promise<void>;
  #failure: unknown = null;
  #nextId = 1;
  #lastWrite: Promise<unknown> = Promise.resolve();

  /** @param onCommit called after each commit, before whoever awaits it goes on */
  constructor(options: SqliteOptions, onCommit: () => void) {
    this.#onCommit = onCommit;
    const { path, cacheMiB, busyTimeout } = options;
    this.#worker = new Worker(new URL('./writer-thread-entry.ts', import.meta.url), {
      workerData: { path, cacheMiB, busyTimeout } satisfies SqliteOptions,
    });
    this.#worker.on('message', ({ id, rows, problem }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (problem === null) waiting?.resolve(rows);
      else waiting?.reject(fromProblem(problem));
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#fail(new Error('the writing thread has ended'));
        resolve();
      });
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }

  #tell(question: Question): void {
    const buffers =
      question.ask === 'run' ? [question.packed.kinds.buffer, question.packed.values.buffer] : [];
    this.#worker.postMessage(question, buffers);
  }

  #ask(question: (id: number) => Question): Promise<Cell[][]> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#tell(question(id));
    });
  }

  #run(runs: readonly Run[], cells: readonly Cell[], shared: readonly Cell[], mustChange = false): void {
    if (runs.length > 0) this.#tell({ ask: 'run', runs, packed: packCells(cells), shared, mustChange });
  }

  #runOnce(statement: Statement, cells: readonly Cell[], mustChange: boolean): void {
    this.#run([{ sql: statement.sql, cells: cells.length, times: 1 }], cells, [], mustChange);
  }

  transaction<T>(
    _contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const result = this.#lastWrite.then(() => this.#transact(work));
    this.#lastWrite = result.catch(() => undefined);
    return result;
  }

  async #transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    this.#tell({ ask: 'begin' });
    let value: T;
    try {
      value = await work({
        read: (statement, values) =>
          this.#ask((id) => ({ ask: 'read', id, sql: statement.sql, cells: bind(statement, values) })),
        run: async (statement, values) => this.#runOnce(statement, bind(statement, values), false),
        runOne: async (statement, values) => this.#runOnce(statement, bind(statement, values), true),
        runEach: async (statement, rows) => {
          const { sql, parameters } = statement;
          const cells = rows.flatMap((values) => bind(statement, values));
          this.#run([{ sql, cells: parameters.length, times: rows.length }], cells, []);
        },
        insert: async (inserter, cells, shared = []) => this.#run(runsOf(inserter, cells), cells, shared),
      });
    } catch (error) {
      await this.#ask((id) => ({ ask: 'rollback', id })).catch(() => {});
      throw error;
    }
    await this.#ask((id) => ({ ask: 'commit', id }));
    this.#onCommit();
    return value;
  }

  /** As a connection's, between two transactions. */
  checkpoint(mode: 'passive' | 'truncate'): Promise<boolean> {
    const result = this.#lastWrite.then(() => this.#ask((id) => ({ ask: 'checkpoint', id, mode })));
    this.#lastWrite = result.catch(() => undefined);
    return result.then(([row]) => row?.[0] === 1);
  }

  async close(): Promise<void> {
    await this.#lastWrite;
    await this.#ask((id) => ({ ask: 'close', id })).catch(() => {});
    await this.#ended;
  }
}

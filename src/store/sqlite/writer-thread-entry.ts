/** What a writing thread runs: it has a connection of its own, and does what it is asked in order. */
import { parentPort, workerData } from 'node:worker_threads';
import { type Cell, NoRowChanged, type Statement } from '../engine.ts';
import { Connection, type SqliteOptions } from './connection.ts';
import { CellReader } from './packed-cells.ts';
import { type Answer, type Problem, type Question, toProblem } from './thread-messages.ts';

const statementOf = (sql: string): Statement => ({ name: '', sql, parameters: [] });

/** The first that went wrong in the transaction under way: the rest of it is passed over. */
let problem: Problem | null = null;
let connection: Connection | null = null;

function open(): Connection {
  connection ??= new Connection(workerData as SqliteOptions);
  return connection;
}

/** Does one thing, unless something before it in the transaction has failed. */
function attempt<T>(work: () => T, otherwise: T): T {
  if (problem !== null) return otherwise;
  try {
    return work();
  } catch (error) {
    problem = toProblem(error);
    return otherwise;
  }
}

function run({ runs, packed, shared, mustChange }: Question & { readonly ask: 'run' }): void {
  const cells = new CellReader(packed);
  for (const { sql, cells: count, times } of runs) {
    const statement = statementOf(sql);
    for (let time = 0; time < times; time += 1) {
      const changed = open().run(statement, cells.take(count, shared));
      if (mustChange && changed === 0) throw new NoRowChanged();
    }
  }
}

function rollBack(): void {
  // A full disk may have ended the transaction already.
  if (connection?.inTransaction) connection.execute('ROLLBACK');
}

function answer(id: number, rows: Cell[][] = []): void {
  parentPort?.postMessage({ id, rows, problem } satisfies Answer);
}

function handle(question: Question): void {
  switch (question.ask) {
    case 'begin':
      problem = null;
      attempt(() => open().execute('BEGIN IMMEDIATE'), undefined);
      return;
    case 'run':
      attempt(() => run(question), undefined);
      return;
    case 'read': {
      const rows = attempt(() => open().read(statementOf(question.sql), question.cells), []);
      answer(question.id, rows);
      return;
    }
    case 'checkpoint': {
      problem = null;
      const isDone = attempt(() => open().checkpoint(question.mode), false);
      answer(question.id, [[isDone ? 1 : 0]]);
      return;
    }
    case 'commit':
      attempt(() => open().execute('COMMIT'), undefined);
      if (problem !== null) rollBack();
      answer(question.id);
      return;
    case 'rollback':
      problem = null;
      attempt(rollBack, undefined);
      answer(question.id);
      return;
    case 'close':
      problem = null;
      attempt(() => connection?.close(), undefined);
      answer(question.id);
      parentPort?.close();
  }
}

// While the first rows are still read. Where it fails, the first transaction tries again and tells why.
attempt(open, null);
parentPort?.on('message', handle);

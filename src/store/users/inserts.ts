import type { User } from '../../directory/user.ts';
import type { Cell, Transaction } from '../engine.ts';
import { inserterOf, int, type Statements, sharingInserterOf, text } from '../statements.ts';
import { toCells, USER_COLUMNS } from './row.ts';

/** Dialect numbers by search term: what is put into `user_terms` at once. */
export class TermRuns {
  readonly #runs = new Map<string, number[]>();
  /** Runs whose numbers came out of order. */
  readonly #mixed = new Set<number[]>();

  add(term: string, number: number): void {
    const run = this.#runs.get(term);
    if (run === undefined) this.#runs.set(term, [number]);
    else {
      if (number < (run.at(-1) as number)) this.#mixed.add(run);
      run.push(number);
    }
  }

  /** The order of the index, so that rows which lie together are written together. */
  cells(): Cell[] {
    const cells: Cell[] = [];
    for (const run of this.#mixed) run.sort((a, b) => a - b);
    for (const term of [...this.#runs.keys()].sort()) {
      for (const number of this.#runs.get(term) ?? []) cells.push(term, number);
    }
    return cells;
  }
}

/** Users that are put in at once: while a writing thread writes them, the next are made ready. */
const AT_ONCE = 256;

/** New rows of users and of what finds them. */
export function createUserInserts(statements: Statements) {
  const shared = { contact_center_id: int, dialect: text };
  const users = inserterOf(statements, 'users', [
    'contact_center_id',
    ...USER_COLUMNS.map(([column]) => column),
  ]);
  const extensions = sharingInserterOf(
    statements,
    'user_extensions',
    { contact_center_id: int },
    { extension: text, user_number: int },
  );
  const numbers = sharingInserterOf(statements, 'dialect_numbers', shared, {
    number: int,
    user_number: int,
    given: int,
    version: int,
  });
  const terms = sharingInserterOf(statements, 'user_terms', shared, { term: text, number: int });

  return {
    async users(transaction: Transaction, cc: number, made: readonly User[]): Promise<void> {
      for (let from = 0; from < made.length; from += AT_ONCE) {
        const cells: Cell[] = [];
        for (const user of made.slice(from, from + AT_ONCE)) toCells(cc, user, cells);
        await transaction.insert(users, cells);
      }
    },

    /** @param cells extension and user number, in turns */
    extensions: (transaction: Transaction, cc: number, cells: readonly Cell[]) =>
      transaction.insert(extensions, cells, [cc]),

    /** @param cells number, user number, whether it was given, and the version, in turns */
    numbers: (transaction: Transaction, cc: number, dialect: string, cells: readonly Cell[]) =>
      transaction.insert(numbers, cells, [cc, dialect]),

    terms: (transaction: Transaction, cc: number, dialect: string, runs: TermRuns) =>
      transaction.insert(terms, runs.cells(), [cc, dialect]),
  };
}

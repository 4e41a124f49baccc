import { Failure, type FailureKind } from '../../errors.ts';
import { type Cell, NoRowChanged } from '../engine.ts';
import type { PackedCells } from './packed-cells.ts';

/** A statement that is run some times, each time with the next cells. */
export interface Run {
  readonly sql: string;
  /** How many of the packed cells it takes, behind the shared ones. */
  readonly cells: number;
  readonly times: number;
}

/** What a writing thread is asked, in order. What has a number is answered. */
export type Question =
  | { readonly ask: 'begin' }
  | {
      readonly ask: 'run';
      readonly runs: readonly Run[];
      readonly packed: PackedCells;
      /** Cells that each run begins with. */
      readonly shared: readonly Cell[];
      readonly mustChange: boolean;
    }
  | { readonly ask: 'read'; readonly id: number; readonly sql: string; readonly cells: readonly Cell[] }
  | { readonly ask: 'checkpoint'; readonly id: number; readonly mode: 'passive' | 'truncate' }
  | { readonly ask: 'commit' | 'rollback' | 'close'; readonly id: number };

export interface Answer {
  readonly id: number;
  readonly rows: Cell[][];
  readonly problem: Problem | null;
}

/** An error on its way from one thread to the other, which takes no classes. */
export type Problem =
  | { readonly is: 'no row changed' }
  | {
      readonly is: 'failure';
      readonly kind: FailureKind;
      readonly message: string;
      readonly retryAfter: number | undefined;
    }
  | { readonly is: 'bug'; readonly name: string; readonly message: string; readonly stack: string };

export function toProblem(error: unknown): Problem {
  if (error instanceof NoRowChanged) return { is: 'no row changed' };
  if (error instanceof Failure) {
    return { is: 'failure', kind: error.kind, message: error.message, retryAfter: error.retryAfter };
  }
  const { name, message, stack = '' } = error instanceof Error ? error : new Error(typeof error);
  return { is: 'bug', name, message, stack };
}

export function fromProblem(problem: Problem): Error {
  if (problem.is === 'no row changed') return new NoRowChanged();
  if (problem.is === 'failure') {
    const { kind, message, retryAfter } = problem;
    return new Failure(kind, message, retryAfter === undefined ? {} : { retryAfter });
  }
  const error = new Error(problem.message);
  error.name = problem.name;
  error.stack = problem.stack;
  return error;
}

import type { Cell } from '../engine.ts';
import { toLines } from './tables.ts';

/** What goes into one transaction at most: rows, and characters of them. */
const MOST_ROWS = 5000;
const MOST_CHARACTERS = 4_194_304;

export interface Batch {
  readonly rows: Cell[][];
  readonly lines: string;
}

/**
 * Puts rows together to what one transaction takes.
 * @param cut a batch ends after that many rows in all
 */
export async function* inBatches(all: AsyncIterable<Cell[][]>, cut = 0): AsyncGenerator<Batch> {
  let rows: Cell[][] = [];
  let lines = '';
  let given = 0;
  for await (const few of all) {
    for (let at = 0; at < few.length; ) {
      const isBefore = given + rows.length < cut;
      const room = isBefore ? cut - given - rows.length : few.length;
      const part = few.slice(at, at + Math.min(room, MOST_ROWS - rows.length));
      at += part.length;
      rows.push(...part);
      lines += toLines(part);
      const isFull = rows.length >= MOST_ROWS || lines.length >= MOST_CHARACTERS;
      if (!isFull && given + rows.length !== cut) continue;
      yield { rows, lines };
      given += rows.length;
      [rows, lines] = [[], ''];
    }
  }
  if (rows.length > 0) yield { rows, lines };
}

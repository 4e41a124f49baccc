import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { type ContactCenter, stateOf } from '../../access/contact-center.ts';
import type { Cell, Reader, Transaction } from '../engine.ts';
import { int, type Statements, text } from '../statements.ts';

/** Levels of number_counts. A block of one holds 256 of the level below; of the lowest, 256 numbers. */
const LEVELS = 3;

function addTo(sums: Map<number, number>, block: number, by: number): void {
  sums.set(block, (sums.get(block) ?? 0) + by);
}

/** The blocks inside a block, or the numbers inside one of the lowest level, in order. */
interface Part {
  readonly ids: Int32Array;
  /** How many numbers there are up to and with each. */
  readonly upto: Int32Array;
}

function readBlocks(rows: readonly (readonly Cell[])[]): Part {
  const upto = new Int32Array(rows.length);
  for (const [at, row] of rows.entries()) upto[at] = Number(row[1]) + (upto[at - 1] ?? 0);
  return { ids: Int32Array.from(rows, ([block]) => Number(block)), upto };
}

function readNumbers(rows: readonly (readonly Cell[])[]): Part {
  return {
    ids: Int32Array.from(rows, ([number]) => Number(number)),
    upto: Int32Array.from(rows, (_, at) => at + 1),
  };
}

/** Where the first value above `limit` stands in a rising list; its length where there is none. */
function firstAbove(rising: Int32Array, limit: number): number {
  let low = 0;
  let high = rising.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] as number) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Counts of dialect numbers by block: totals and offsets of a whole directory without walking it. A seek
 * reads at most 128 + 256 + 256 counts and 256 numbers, whatever the size, and keeps what it read.
 */
export function createNumberCounts(statements: Statements) {
  const total = statements.get('number_counts.total', '', (db) =>
    db
      .selectFrom('number_counts')
      .select((each) => each.fn.coalesce(each.fn.sum('count'), sql<number>`0`).as('total'))
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('level', '=', LEVELS),
  );
  const blocks = statements.get('number_counts.blocks', '', (db) =>
    db
      .selectFrom('number_counts')
      .select(['block', 'count'])
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('level', '=', int('level'))
      .where('block', '>=', int('first'))
      .where('block', '<=', int('last'))
      .orderBy('block'),
  );
  const within = statements.get('number_counts.within', '', (db) =>
    db
      .selectFrom('dialect_numbers')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('number', '>=', int('first'))
      .where('number', '<=', int('last'))
      .orderBy('number'),
  );
  const add = statements.get('number_counts.add', '', (db) =>
    db
      .insertInto('number_counts')
      .values({
        contact_center_id: int('cc'),
        dialect: text('dialect'),
        level: int('level'),
        block: int('block'),
        count: int('count'),
      })
      .onConflict((conflict) =>
        conflict
          .columns(['contact_center_id', 'dialect', 'level', 'block'])
          .doUpdateSet({ count: sql<number>`number_counts.count + excluded.count` }),
      ),
  );

  // What was read of an unchanged directory is not read again: an offset anywhere costs four look-ups.
  const parts = new LRUCache<string, Part>({ max: 2000 });

  return {
    async total(reader: Reader, cc: number, dialect: string): Promise<number> {
      const [row] = await reader.read(total, { cc, dialect });
      return Number(row?.[0] ?? 0);
    },

    /** The dialect number at a position (from 0), or null behind the last. */
    async numberAt(
      reader: Reader,
      contactCenter: ContactCenter,
      dialect: string,
      position: number,
    ): Promise<number | null> {
      const { id: cc } = contactCenter;
      const state = stateOf(contactCenter);
      let block = 0;
      let offset = position;
      for (let level = LEVELS; level >= 0; level -= 1) {
        const key = `${state} ${dialect} ${level} ${block}`;
        let part = parts.get(key);
        if (part === undefined) {
          const first = block * 256;
          const last = first + 255;
          part =
            level === 0
              ? readNumbers(await reader.read(within, { cc, dialect, first, last }))
              : readBlocks(await reader.read(blocks, { cc, dialect, level, first, last }));
          parts.set(key, part);
        }
        const at = firstAbove(part.upto, offset);
        if (at === part.upto.length) return null;
        offset -= at === 0 ? 0 : (part.upto[at - 1] as number);
        block = part.ids[at] as number;
      }
      return block;
    },

    /** Counts numbers that were added, and those that were removed. */
    async add(
      transaction: Transaction,
      cc: number,
      dialect: string,
      added: Iterable<number>,
      removed: Iterable<number>,
    ): Promise<void> {
      let blocks = new Map<number, number>();
      for (const number of added) addTo(blocks, Math.floor(number / 256), 1);
      for (const number of removed) addTo(blocks, Math.floor(number / 256), -1);
      const rows: { level: number; block: number; count: number }[] = [];
      for (let level = 1; level <= LEVELS; level += 1) {
        const above = new Map<number, number>();
        for (const [block, count] of blocks) {
          if (count === 0) continue;
          rows.push({ level, block, count });
          addTo(above, Math.floor(block / 256), count);
        }
        blocks = above;
      }
      await transaction.runEach(
        add,
        rows.map((change) => ({ cc, dialect, ...change })),
      );
    },
  };
}

export type NumberCounts = ReturnType<typeof createNumberCounts>;

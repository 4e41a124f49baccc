import { sql } from 'kysely';
import type { Reader, Transaction } from '../engine.ts';
import { int, type Statements, text } from '../statements.ts';

/** Bits of a dialect number that each level of number_counts leaves out. */
const SHIFTS = [8, 16, 24] as const;

/**
 * Counts of dialect numbers by block: totals and offsets of a whole directory without walking it. A seek
 * reads at most 128 + 256 + 256 counts and 255 numbers, whatever the size.
 */
export function createNumberCounts(statements: Statements) {
  const total = statements.get('number_counts.total', '', (db) =>
    db
      .selectFrom('number_counts')
      .select((each) => each.fn.coalesce(each.fn.sum('count'), sql<number>`0`).as('total'))
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('level', '=', SHIFTS.length),
  );
  const block = statements.get('number_counts.seek', '', (db) =>
    db
      .selectFrom(
        db
          .selectFrom('number_counts')
          .select(['block', 'count', sql<number>`sum(count) over (order by block)`.as('upto')])
          .where('contact_center_id', '=', int('cc'))
          .where('dialect', '=', text('dialect'))
          .where('level', '=', int('level'))
          .where('block', '>=', int('first'))
          .where('block', '<=', int('last'))
          .as('blocks'),
      )
      .select(['block', 'count', 'upto'])
      .where('upto', '>', int('offset'))
      .orderBy('block')
      .limit(1),
  );
  const within = statements.get('number_counts.within', '', (db) =>
    db
      .selectFrom('dialect_numbers')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('number', '>=', int('first'))
      .orderBy('number')
      .limit(1)
      .offset(int('offset')),
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

  return {
    async total(reader: Reader, cc: number, dialect: string): Promise<number> {
      const [row] = await reader.read(total, { cc, dialect });
      return Number(row?.[0] ?? 0);
    },

    /** The dialect number at a position (from 0), or null behind the last. */
    async numberAt(reader: Reader, cc: number, dialect: string, position: number): Promise<number | null> {
      let first = 0;
      let last = 2 ** 31;
      let offset = position;
      for (let level = SHIFTS.length; level >= 1; level -= 1) {
        const [row] = await reader.read(block, { cc, dialect, level, first, last, offset });
        if (row === undefined) return null;
        offset -= Number(row[2]) - Number(row[1]);
        first = Number(row[0]) * 256;
        last = first + 255;
      }
      const [row] = await reader.read(within, { cc, dialect, first, offset });
      return row === undefined ? null : Number(row[0]);
    },

    /** Counts numbers that were added (`by` 1) or removed (`by` -1). */
    async add(
      transaction: Transaction,
      cc: number,
      dialect: string,
      numbers: Iterable<{ readonly number: number; readonly by: number }>,
    ): Promise<void> {
      const changes = new Map<string, { level: number; block: number; count: number }>();
      for (const { number, by } of numbers) {
        for (const [index, shift] of SHIFTS.entries()) {
          const level = index + 1;
          const at = Math.floor(number / 2 ** shift);
          const key = `${level}:${at}`;
          const change = changes.get(key) ?? { level, block: at, count: 0 };
          change.count += by;
          changes.set(key, change);
        }
      }
      const rows = [...changes.values()].filter((change) => change.count !== 0);
      await transaction.runEach(
        add,
        rows.map((change) => ({ cc, dialect, ...change })),
      );
    },
  };
}

export type NumberCounts = ReturnType<typeof createNumberCounts>;

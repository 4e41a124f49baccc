import { sql } from 'kysely';
import type { Reader, Transaction } from '../engine.ts';
import { int, ints, listValues, padded, type Statements } from '../statements.ts';

const DAY = 86_400_000;
/** Whom the counts of everyone together are kept under: no user has this number. */
export const EVERYONE = 0;
/** Users whose days one statement reads. */
const PART = 64;

/** The UTC day of an instant. */
export const dayOf = (instant: number): number => Math.floor(instant / DAY);
/** The first instant of a UTC day. */
export const startOf = (day: number): number => day * DAY;

/** A stretch of time, its end left out, and an offset (from 0) among the recordings that start in it. */
export interface Near {
  readonly start: number;
  readonly end: number;
  readonly offset: number;
}

/**
 * Counts of recordings by user and UTC day: totals and offsets of ranges without walking them. They cost two
 * small writes a recording, and a row for each user and day that has any. A year of one user is 365 rows,
 * however many calls there were.
 */
export function createDayCounts(statements: Statements) {
  const inDays = (name: string, size: number, shape: 'sum' | 'list') =>
    statements.get(`recording_counts.${name}`, String(size), (db) => {
      const rows = db
        .selectFrom('recording_counts')
        .where('contact_center_id', '=', int('cc'))
        .where('user_number', 'in', ints('u', size))
        .where('day', '>=', int('first'))
        .where('day', '<=', int('last'));
      return shape === 'sum'
        ? rows.select((each) => each.fn.coalesce(each.fn.sum('count'), sql<number>`0`).as('total'))
        : rows
            .select((each) => ['day', each.fn.sum('count').as('count')])
            .groupBy('day')
            .orderBy('day');
    });
  const add = statements.get('recording_counts.add', '', (db) =>
    db
      .insertInto('recording_counts')
      .values({ contact_center_id: int('cc'), user_number: int('user'), day: int('day'), count: int('by') })
      .onConflict((conflict) =>
        conflict
          .columns(['contact_center_id', 'user_number', 'day'])
          .doUpdateSet({ count: sql<number>`recording_counts.count + excluded.count` }),
      ),
  );
  // Days on which nothing is left would be read for ever.
  const dropEmpty = statements.get('recording_counts.drop_empty', '', (db) =>
    db
      .deleteFrom('recording_counts')
      .where('contact_center_id', '=', int('cc'))
      .where('user_number', '=', int('user'))
      .where('day', '=', int('day'))
      .where('count', '<=', 0),
  );

  /** Rows of a statement over all owners, a part of them at a time; others get their turn in between. */
  async function* inParts(
    reader: Reader,
    cc: number,
    owners: readonly number[],
    days: { readonly first: number; readonly last: number },
    shape: 'sum' | 'list',
  ) {
    for (let from = 0; from < owners.length; from += PART) {
      if (from > 0) await new Promise(setImmediate);
      const part = owners.slice(from, from + PART);
      const size = padded(part.length);
      const statement = inDays(shape === 'sum' ? 'total' : 'by_day', size, shape);
      yield* await reader.read(statement, { cc, ...days, ...listValues('u', part, size) });
    }
  }

  return {
    /** Counts a recording that was added (`by` 1) or let go (`by` -1). */
    async add(
      transaction: Transaction,
      cc: number,
      recording: { readonly userNumber: number; readonly startedAt: number },
      by: 1 | -1,
    ): Promise<void> {
      const day = dayOf(recording.startedAt);
      for (const user of [EVERYONE, recording.userNumber]) {
        await transaction.run(add, { cc, user, day, by });
        if (by < 0) await transaction.run(dropEmpty, { cc, user, day });
      }
    },

    /** How many recordings these users (or EVERYONE) have on the days from `first` to `last`, both included. */
    async total(
      reader: Reader,
      cc: number,
      owners: readonly number[],
      days: { readonly first: number; readonly last: number },
    ): Promise<number> {
      let total = 0;
      for await (const [sum] of inParts(reader, cc, owners, days, 'sum')) total += Number(sum);
      return total;
    },

    /** The day on which the recording at an offset (from 0) starts; null behind the last. */
    async seek(
      reader: Reader,
      cc: number,
      owners: readonly number[],
      days: { readonly first: number; readonly last: number },
      offset: number,
    ): Promise<Near | null> {
      const counts = new Map<number, number>();
      for await (const [day, count] of inParts(reader, cc, owners, days, 'list')) {
        counts.set(Number(day), (counts.get(Number(day)) ?? 0) + Number(count));
      }
      let left = offset;
      for (const [day, count] of [...counts].sort(([a], [b]) => a - b)) {
        if (left < count) return { start: startOf(day), end: startOf(day + 1), offset: left };
        left -= count;
      }
      return null;
    },
  };
}

export type DayCounts = ReturnType<typeof createDayCounts>;

import { sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import { type ContactCenter, recordingsStateOf } from '../../access/contact-center.ts';
import { letGoAt, retentionEndedFor } from '../../recordings/retention.ts';
import type { Engine } from '../engine.ts';
import { cell, int, type Statements } from '../statements.ts';
import { FIRST_INSTANT } from './asked.ts';
import type { Run, Runs } from './runs.ts';

/** Recordings whose own end has come that one statement reads. */
const READ = 500;

/** Recordings in a range of starts, both bounds included. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * What is past its retention and still to be let go. The job that lets it go comes every few minutes, so that
 * there is little of it, mostly; right after a retention was cut there may be very much.
 */
export function createEnds(engine: Engine, statements: Statements, runs: Runs) {
  // An own end may lie anywhere: none of both is found by the index of the other.
  const first = (name: string, column: 'keep_until' | 'started_at') =>
    statements.get(`recordings.first_${name}`, '', (db) => {
      const rows = db
        .selectFrom('recordings')
        .select(column)
        .where('contact_center_id', '=', int('cc'))
        .where(column, '>=', cell<number>('least'))
        .where('legal_hold', '=', sql.lit(0))
        .orderBy(column)
        .limit(sql.lit(1));
      return column === 'keep_until'
        ? rows.where('keep_until', 'is not', null)
        : rows.where('user_number', 'is not', null).where('keep_until', 'is', null);
    });
  const [firstOwnEnd, firstStart] = [first('own_end', 'keep_until'), first('retained', 'started_at')];
  const ownEnds = statements.get('recordings.own_ends', '', (db) =>
    db
      .selectFrom('recordings')
      .select(['keep_until', 'number', 'user_number', 'started_at'])
      .where('contact_center_id', '=', int('cc'))
      .where('keep_until', 'is not', null)
      .where('legal_hold', '=', sql.lit(0))
      .where(
        sql<boolean>`(keep_until, number) > (${cell<number>('afterEnd')}, ${cell<number>('afterNumber')})`,
      )
      .where('keep_until', '<=', cell<number>('until'))
      .orderBy('keep_until')
      .orderBy('number')
      .limit(sql.lit(READ)),
  );
  /** The first own end and the first start of what has none, by the state of the recordings. */
  const kept = new LRUCache<string, { readonly ownEnd: number | null; readonly start: number | null }>({
    max: 1000,
  });

  async function firsts(contactCenter: ContactCenter) {
    const { id: cc } = contactCenter;
    const key = recordingsStateOf(contactCenter);
    const known = kept.get(key);
    if (known !== undefined) return known;
    const [ends, starts] = await Promise.all(
      [firstOwnEnd, firstStart].map((statement) => engine.read(statement, { cc, least: FIRST_INSTANT })),
    );
    const [ownEnd, start] = [ends?.[0]?.[0], starts?.[0]?.[0]].map((at) => (at == null ? null : Number(at)));
    const found = { ownEnd: ownEnd ?? null, start: start ?? null };
    kept.set(key, found);
    return found;
  }

  /** How many recordings, of these users or null for everyone, whose own end has come start in a range. */
  async function countOwnEnds(
    cc: number,
    users: readonly number[] | null,
    { from, to }: Range,
    now: number,
  ): Promise<number> {
    const whose = users === null ? null : new Set(users);
    let after: readonly [end: number, number: number] = [FIRST_INSTANT, 0];
    for (let count = 0; ; await new Promise(setImmediate)) {
      const [afterEnd, afterNumber] = after;
      const rows = await engine.read(ownEnds, { cc, afterEnd, afterNumber, until: now });
      for (const [, , user, startedAt] of rows) {
        const start = Number(startedAt);
        if (start >= from && start <= to && (whose?.has(Number(user)) ?? true)) count += 1;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < READ) return count;
      after = [Number(last[0]), Number(last[1])];
    }
  }

  return {
    /** As `RecordingStore.firstEnd`. */
    async firstEnd(contactCenter: ContactCenter): Promise<number | null> {
      const { ownEnd, start } = await firsts(contactCenter);
      const retained =
        start === null
          ? null
          : letGoAt(contactCenter, { startedAt: start, keepUntil: null, legalHold: false });
      return ownEnd === null || retained === null ? (ownEnd ?? retained) : Math.min(ownEnd, retained);
    },

    /** Whether any recording's own end has come. */
    hasOwnEnd: async (contactCenter: ContactCenter, now: number): Promise<boolean> =>
      ((await firsts(contactCenter)).ownEnd ?? Number.POSITIVE_INFINITY) <= now,

    /** How many recordings of runs of users, or of all that live, start in a range and are past their retention. */
    async count(
      contactCenter: ContactCenter,
      of: readonly Run[],
      range: Range,
      now: number,
    ): Promise<number> {
      const { id: cc } = contactCenter;
      const users = of.flatMap((run) => (run.kind === 'user' ? [run.of] : []));
      const isEveryone = of.some((run) => run.kind === 'live');
      const to = Math.min(range.to, retentionEndedFor(contactCenter, now));
      const ended = await countOwnEnds(cc, isEveryone ? null : users, range, now);
      if (range.from > to) return ended;
      if (!isEveryone) {
        const bounds = { afterStart: range.from - 1, untilStart: to + 1 };
        return ended + (await runs.countOfUsers(engine, cc, users, bounds, 'retained'));
      }
      const stretch = {
        after: { startedAt: range.from, number: 0 },
        until: { startedAt: to + 1, number: 0 },
      };
      return ended + (await runs.count(engine, cc, { kind: 'retained' }, stretch));
    },
  };
}

export type Ends = ReturnType<typeof createEnds>;

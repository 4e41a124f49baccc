import { LRUCache } from 'lru-cache';
import { type ContactCenter, recordingsStateOf } from '../../access/contact-center.ts';
import type { RecordingPage, RecordingQuery } from '../../recordings/query.ts';
import type { ListedRecording } from '../../recordings/recording.ts';
import { retentionEndedFor } from '../../recordings/retention.ts';
import type { Engine } from '../engine.ts';
import { FIRST_INSTANT, LAST_INSTANT, ownersOf, runsOf, stretchOf, testOf } from './asked.ts';
import { type DayCounts, dayOf, type Near, startOf } from './day-counts.ts';
import type { Ends } from './ends.ts';
import type { Shape } from './row.ts';
import { comparePlaces, type Place, type Run, type Runs, type Stretch } from './runs.ts';

/** Rows that are looked at in one go where not all of a run match. */
const WINDOW = 500;

/** Some recordings of runs, the place behind which to go on, and whether as many were there as were asked for. */
interface Part<R> {
  readonly recordings: R[];
  readonly last: Place | null;
  readonly isFull: boolean;
}

export interface PagesDeps {
  readonly engine: Engine;
  readonly runs: Runs;
  readonly counts: DayCounts;
  readonly ends: Ends;
}

/** Pages of recordings in the store, with as much of each as its shape says. */
export function createRecordingPages<R extends ListedRecording>(
  { engine, runs, counts, ends }: PagesDeps,
  shape: Shape<R>,
) {
  // Totals are worked out again only when recordings were written since: the pages of a walk share them.
  const totals = new LRUCache<string, number>({
    max: 10_000,
    maxSize: 8_000_000,
    sizeCalculation: (_, key) => key.length + 8,
  });

  async function read(
    cc: number,
    of: readonly Run[],
    stretch: Stretch,
    offset: number,
    limit: number,
  ): Promise<Part<R>> {
    const [only] = of;
    if (only === undefined) return { recordings: [], last: null, isFull: false };
    if (of.length === 1) {
      const { passed, left } = await runs.pass(engine, cc, only, stretch, offset);
      const rest = { offset: offset - passed, limit, columns: shape };
      const rows = await runs.rows(engine, cc, only, left, rest);
      const recordings = rows.map(shape.read);
      return { recordings, last: recordings.at(-1) ?? null, isFull: rows.length === limit };
    }
    const places = (await runs.merge(engine, cc, of, stretch, offset + limit)).slice(offset);
    const numbers = places.map((place) => place.number);
    const rows = await runs.fetch(engine, cc, numbers, shape);
    // Many runs are merged in several turns, between which one may have been purged.
    const takesPurged = of.some((run) => run.kind === 'purged');
    const recordings = rows.map(shape.read).filter(({ state }) => takesPurged || state !== 'purged');
    return {
      recordings: recordings.sort(comparePlaces),
      last: places.at(-1) ?? null,
      isFull: places.length === limit,
    };
  }

  /** How many recordings of runs with day counts start from one instant to another, both included; for a day or two. */
  async function countEdge(cc: number, of: readonly Run[], from: number, to: number): Promise<number> {
    const [only] = of;
    if (only === undefined || from > to) return 0;
    const after = { startedAt: from, number: 0 };
    const until = { startedAt: to + 1, number: 0 };
    if (of.length === 1) return runs.count(engine, cc, only, { after, until });
    const users = of.flatMap((run) => (run.kind === 'user' ? [run.of] : []));
    return runs.countOfUsers(engine, cc, users, { afterStart: from - 1, untilStart: to + 1 });
  }

  /** How many recordings of owners with day counts start from one instant to another, both included. */
  async function countRange(
    cc: number,
    of: readonly Run[],
    owners: readonly number[],
    from: number,
    to: number,
  ): Promise<number> {
    const days = { first: Math.ceil(from / startOf(1)), last: dayOf(to + 1) - 1 };
    if (days.first > days.last) return countEdge(cc, of, from, to);
    return (
      (await countEdge(cc, of, from, startOf(days.first) - 1)) +
      (await counts.total(engine, cc, owners, days)) +
      (await countEdge(cc, of, startOf(days.last + 1), to))
    );
  }

  /** Moves a stretch to near an offset, where day counts tell the way. */
  async function seek(
    cc: number,
    of: readonly Run[],
    query: RecordingQuery,
    stretch: Stretch,
  ): Promise<{ readonly stretch: Stretch; readonly offset: number } | null> {
    const { from = FIRST_INSTANT, to = LAST_INSTANT, offset = 0 } = query;
    const owners = ownersOf(of);
    if (offset === 0 || owners === null || query.after !== undefined) return { stretch, offset };
    const whole = startOf(Math.ceil(from / startOf(1)));
    const edge = await countEdge(cc, of, from, Math.min(to, whole - 1));
    const days = { first: dayOf(whole), last: dayOf(to) };
    const found =
      offset < edge
        ? { start: from, end: whole, offset }
        : await counts.seek(engine, cc, owners, days, offset - edge);
    if (found === null) return null;
    const near = await narrow(cc, of, found);
    const after = { startedAt: near.start, number: 0 };
    return { stretch: { after, until: stretch.until }, offset: near.offset };
  }

  /** Halves a stretch of time until an offset in it is small: what many users have in a day is not merged. */
  async function narrow(cc: number, of: readonly Run[], near: Near): Promise<Near> {
    let { start, end, offset } = near;
    while (of.length > 1 && offset > WINDOW && end - start > 1) {
      const middle = Math.floor((start + end) / 2);
      const before = await countEdge(cc, of, start, middle - 1);
      if (before > offset) end = middle;
      else {
        start = middle;
        offset -= before;
      }
    }
    return { start, end, offset };
  }

  /** Walks all that may match in windows, between which others get their turn. */
  async function walk(
    cc: number,
    of: readonly Run[],
    stretch: Stretch,
    test: (recording: ListedRecording) => boolean,
    onMatch: (recording: R) => boolean,
    first = WINDOW,
  ): Promise<void> {
    let left = stretch;
    for (let window = first; ; window = WINDOW) {
      const { recordings, last, isFull } = await read(cc, of, left, 0, window);
      for (const recording of recordings) {
        if (test(recording) && !onMatch(recording)) return;
      }
      if (last === null || !isFull) return;
      left = { after: last, until: left.until };
      await new Promise(setImmediate);
    }
  }

  /** The recordings of a page, and whether more come behind them. */
  async function shown(
    contactCenter: ContactCenter,
    asked: RecordingQuery,
    of: readonly Run[],
  ): Promise<Omit<RecordingPage<R>, 'total'>> {
    const query = await skipEnded(contactCenter, asked, of);
    const cc = contactCenter.id;
    const { offset = 0, limit, after } = query;
    const wanted = testOf(contactCenter, query);
    // An offset among several runs is walked to where no counts lead there.
    const isLed = of.length === 1 || (after === undefined && ownersOf(of) !== null);
    const test = wanted ?? (offset === 0 || isLed ? null : () => true);
    const stretch = stretchOf(query);
    if (test === null) {
      const sought = await seek(cc, of, query, stretch);
      if (sought === null) return { recordings: [], hasMore: false };
      const { recordings, isFull } = await read(cc, of, sought.stretch, sought.offset, limit + 1);
      return { recordings: recordings.slice(0, limit), hasMore: isFull };
    }
    const found: R[] = [];
    let skipped = 0;
    await walk(
      cc,
      of,
      stretch,
      test,
      (recording) => {
        if (skipped < offset) skipped += 1;
        else found.push(recording);
        return found.length <= limit;
      },
      Math.min(offset + limit + 1, WINDOW),
    );
    return { recordings: found.slice(0, limit), hasMore: found.length > limit };
  }

  /**
   * Goes past all that the contact center's retention has ended, where an offset leads behind it: what is still
   * listed of it is counted, and walked by nobody. Behind it all are listed but those whose own end has come.
   */
  async function skipEnded(contactCenter: ContactCenter, query: RecordingQuery, of: readonly Run[]) {
    const { keptAt, ...others } = query;
    const { from = FIRST_INSTANT, to = LAST_INSTANT, offset = 0 } = query;
    const isPlain = testOf(contactCenter, others) === null && ownersOf(of) !== null;
    if (keptAt === undefined || !isPlain || offset === 0 || query.after !== undefined) return query;
    const ended = Math.min(retentionEndedFor(contactCenter, keptAt), to);
    const before = from > ended ? 0 : await countAll(contactCenter, { ...query, to: ended }, of);
    if (offset < before) return query;
    const rest = { from: Math.max(from, ended + 1), offset: offset - before };
    return (await ends.hasOwnEnd(contactCenter, keptAt)) ? { ...query, ...rest } : { ...others, ...rest };
  }

  async function countAll(
    contactCenter: ContactCenter,
    query: RecordingQuery,
    of: readonly Run[],
  ): Promise<number> {
    const { after: _, keptAt, ...plain } = query;
    const rest = keptAt === undefined ? plain : { ...plain, keptAt };
    const cc = contactCenter.id;
    const test = testOf(contactCenter, query);
    const { from = FIRST_INSTANT, to = LAST_INSTANT } = query;
    let total = 0;
    if (keptAt !== undefined && testOf(contactCenter, plain) === null && ownersOf(of) !== null) {
      const all = await countAll(contactCenter, plain, of);
      return all - (await ends.count(contactCenter, of, { from, to }, keptAt));
    }
    if (test !== null) {
      await walk(cc, of, stretchOf(rest), test, () => {
        total += 1;
        return true;
      });
      return total;
    }
    const owners = ownersOf(of);
    if (owners !== null) return countRange(cc, of, owners, from, to);
    for (const run of of) total += await runs.count(engine, cc, run, stretchOf(rest));
    return total;
  }

  async function totalOf(
    contactCenter: ContactCenter,
    query: RecordingQuery,
    of: readonly Run[],
    { recordings, hasMore }: Omit<RecordingPage<R>, 'total'>,
  ): Promise<number> {
    const { userNumbers, leadId, from, to, states, minSeconds, keptAt, after, offset = 0 } = query;
    // The last page shows the end of the matches, and so their number.
    if (after === undefined && !hasMore && (recordings.length > 0 || offset === 0)) {
      return offset + recordings.length;
    }
    const kept = keptAt === undefined ? null : [keptAt, retentionEndedFor(contactCenter, keptAt)];
    const asked = JSON.stringify([userNumbers, leadId, from, to, states, minSeconds, kept]);
    const key = `${recordingsStateOf(contactCenter)} ${asked}`;
    let total = totals.get(key);
    if (total === undefined) {
      total = await countAll(contactCenter, query, of);
      totals.set(key, total);
    }
    return total;
  }

  return async function page(contactCenter: ContactCenter, query: RecordingQuery): Promise<RecordingPage<R>> {
    const of = runsOf(query);
    const page = await shown(contactCenter, query, of);
    const total = query.count === 'exact' ? await totalOf(contactCenter, query, of, page) : null;
    return { ...page, total };
  };
}

import { LRUCache } from 'lru-cache';
import type { ContactCenter } from '../../access/contact-center.ts';
import type { RecordingPage, RecordingQuery } from '../../recordings/query.ts';
import { type Recording, type RecordingState, STATES } from '../../recordings/recording.ts';
import type { Engine } from '../engine.ts';
import { type DayCounts, dayOf, EVERYONE, type Near, startOf } from './day-counts.ts';
import { readRecording } from './row.ts';
import { comparePlaces, type Place, type Run, type Runs, type Stretch } from './runs.ts';

/** The first and last instant that there is (ECMA-262, 21.4.1.1). */
const FIRST_INSTANT = -8.64e15;
const LAST_INSTANT = 8.64e15;
/** Rows that are looked at in one go where not all of a run match. */
const WINDOW = 500;

/** Some recordings of runs, the place behind which to go on, and whether as many were there as were asked for. */
interface Part {
  readonly recordings: Recording[];
  readonly last: Place | null;
  readonly isFull: boolean;
}

/** What a query asks of recordings beyond the runs that it walks; null where that is all. */
type Test = ((recording: Recording) => boolean) | null;

const LIVE: readonly RecordingState[] = STATES.filter((state) => state !== 'purged');

/** Runs that together hold all that can match, none twice. */
function runsOf({ userNumbers, leadId, states = LIVE }: RecordingQuery): Run[] {
  const isLive = LIVE.some((state) => states.includes(state));
  // A lead has few recordings: whose they are is told from their rows. A tombstone has neither.
  if (leadId !== undefined) return isLive && userNumbers?.length !== 0 ? [{ kind: 'lead', of: leadId }] : [];
  if (userNumbers !== undefined) {
    const users = [...new Set(userNumbers)].filter((number) => number > EVERYONE);
    return isLive ? users.map((of) => ({ kind: 'user', of })) : [];
  }
  const runs: Run[] = isLive ? [{ kind: 'live' }] : [];
  return states.includes('purged') ? [...runs, { kind: 'purged' }] : runs;
}

function testOf({ userNumbers, leadId, states = LIVE, minSeconds = 0 }: RecordingQuery): Test {
  const live = LIVE.filter((state) => states.includes(state));
  // All live states or none of them are what runs hold.
  const wanted = live.length % LIVE.length === 0 ? null : new Set(states);
  const users = leadId === undefined || userNumbers === undefined ? null : new Set(userNumbers);
  if (wanted === null && users === null && minSeconds <= 0) return null;
  return (recording) =>
    (wanted?.has(recording.state) ?? true) &&
    (recording.seconds ?? 0) >= minSeconds &&
    (users?.has(recording.userNumber ?? EVERYONE) ?? true);
}

function stretchOf({ from = FIRST_INSTANT, to = LAST_INSTANT, after }: RecordingQuery): Stretch {
  // Numbers start at 1: both bounds are in.
  const first = { startedAt: from, number: 0 };
  return {
    after: after !== undefined && comparePlaces(after, first) > 0 ? after : first,
    until: { startedAt: to + 1, number: 0 },
  };
}

/** Whose day counts tell of these runs; null where nobody's do. */
function ownersOf(runs: readonly Run[]): number[] | null {
  if (runs.length === 1 && runs[0]?.kind === 'live') return [EVERYONE];
  if (!runs.every((run) => run.kind === 'user')) return null;
  return runs.map((run) => ('of' in run ? run.of : EVERYONE));
}

/** Pages of recordings in the store. */
export function createRecordingPages(engine: Engine, runs: Runs, counts: DayCounts) {
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
  ): Promise<Part> {
    const [only] = of;
    if (only === undefined) return { recordings: [], last: null, isFull: false };
    if (of.length === 1) {
      const { passed, left } = await runs.pass(engine, cc, only, stretch, offset);
      const rows = await runs.rows(engine, cc, only, left, offset - passed, limit);
      const recordings = rows.map(readRecording);
      return { recordings, last: recordings.at(-1) ?? null, isFull: rows.length === limit };
    }
    const places = (await runs.merge(engine, cc, of, stretch, offset + limit)).slice(offset);
    const numbers = places.map((place) => place.number);
    const rows = await runs.fetch(engine, cc, numbers);
    // Many runs are merged in several turns, between which one may have been purged.
    const takesPurged = of.some((run) => run.kind === 'purged');
    const recordings = rows.map(readRecording).filter(({ state }) => takesPurged || state !== 'purged');
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
    test: (recording: Recording) => boolean,
    onMatch: (recording: Recording) => boolean,
  ): Promise<void> {
    let left = stretch;
    for (;;) {
      const { recordings, last, isFull } = await read(cc, of, left, 0, WINDOW);
      for (const recording of recordings) {
        if (test(recording) && !onMatch(recording)) return;
      }
      if (last === null || !isFull) return;
      left = { after: last, until: left.until };
      await new Promise(setImmediate);
    }
  }

  /** The recordings of a page, and whether more come behind them. */
  async function shown(cc: number, query: RecordingQuery, of: readonly Run[], asked: Test) {
    const { offset = 0, limit, after } = query;
    // An offset among several runs is walked to where no counts lead there.
    const isLed = of.length === 1 || (after === undefined && ownersOf(of) !== null);
    const test = asked ?? (offset === 0 || isLed ? null : () => true);
    const stretch = stretchOf(query);
    if (test === null) {
      const sought = await seek(cc, of, query, stretch);
      if (sought === null) return { recordings: [], hasMore: false };
      const { recordings, isFull } = await read(cc, of, sought.stretch, sought.offset, limit + 1);
      return { recordings: recordings.slice(0, limit), hasMore: isFull };
    }
    const found: Recording[] = [];
    let skipped = 0;
    await walk(cc, of, stretch, test, (recording) => {
      if (skipped < offset) skipped += 1;
      else found.push(recording);
      return found.length <= limit;
    });
    return { recordings: found.slice(0, limit), hasMore: found.length > limit };
  }

  async function countAll(
    cc: number,
    query: RecordingQuery,
    of: readonly Run[],
    test: Test,
  ): Promise<number> {
    const { after: _, ...rest } = query;
    let total = 0;
    if (test !== null) {
      await walk(cc, of, stretchOf(rest), test, () => {
        total += 1;
        return true;
      });
      return total;
    }
    const owners = ownersOf(of);
    const { from = FIRST_INSTANT, to = LAST_INSTANT } = query;
    if (owners !== null) return countRange(cc, of, owners, from, to);
    for (const run of of) total += await runs.count(engine, cc, run, stretchOf(rest));
    return total;
  }

  async function totalOf(
    contactCenter: ContactCenter,
    query: RecordingQuery,
    of: readonly Run[],
    test: Test,
    { recordings, hasMore }: Omit<RecordingPage, 'total'>,
  ): Promise<number> {
    const { userNumbers, leadId, from, to, states, minSeconds, after, offset = 0 } = query;
    // The last page shows the end of the matches, and so their number.
    if (after === undefined && !hasMore && (recordings.length > 0 || offset === 0)) {
      return offset + recordings.length;
    }
    const asked = JSON.stringify([userNumbers, leadId, from, to, states, minSeconds]);
    const key = `${contactCenter.id} ${contactCenter.recordingsRevision} ${asked}`;
    let total = totals.get(key);
    if (total === undefined) {
      total = await countAll(contactCenter.id, query, of, test);
      totals.set(key, total);
    }
    return total;
  }

  return async function page(contactCenter: ContactCenter, query: RecordingQuery): Promise<RecordingPage> {
    const of = runsOf(query);
    const test = testOf(query);
    const page = await shown(contactCenter.id, query, of, test);
    const total = query.count === 'exact' ? await totalOf(contactCenter, query, of, test, page) : null;
    return { ...page, total };
  };
}

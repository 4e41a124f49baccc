import type { ContactCenter } from '../../access/contact-center.ts';
import type { RecordingQuery } from '../../recordings/query.ts';
import { type ListedRecording, type RecordingState, STATES } from '../../recordings/recording.ts';
import { isPastRetention } from '../../recordings/retention.ts';
import { EVERYONE } from './day-counts.ts';
import { comparePlaces, type Run, type Stretch } from './runs.ts';

/** The first and last instant that there is (ECMA-262, 21.4.1.1). */
export const FIRST_INSTANT = -8.64e15;
export const LAST_INSTANT = 8.64e15;

/** What a query asks of recordings beyond the runs that it walks; null where that is all. */
export type Test = ((recording: ListedRecording) => boolean) | null;

const LIVE: readonly RecordingState[] = STATES.filter((state) => state !== 'purged');

/** Runs that together hold all that can match, none twice. */
export function runsOf({ userNumbers, leadId, states = LIVE }: RecordingQuery): Run[] {
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

/** What is to be tested row by row. */
export function testOf(
  contactCenter: ContactCenter,
  { userNumbers, leadId, states = LIVE, minSeconds = 0, keptAt }: RecordingQuery,
): Test {
  const live = LIVE.filter((state) => states.includes(state));
  // All live states or none of them are what runs hold.
  const wanted = live.length % LIVE.length === 0 ? null : new Set(states);
  const users = leadId === undefined || userNumbers === undefined ? null : new Set(userNumbers);
  if (wanted === null && users === null && minSeconds <= 0 && keptAt === undefined) return null;
  return (recording) =>
    (keptAt === undefined || !isPastRetention(contactCenter, recording, keptAt)) &&
    (wanted?.has(recording.state) ?? true) &&
    (recording.seconds ?? 0) >= minSeconds &&
    (users?.has(recording.userNumber ?? EVERYONE) ?? true);
}

/** Where in its runs a query looks. */
export function stretchOf({ from = FIRST_INSTANT, to = LAST_INSTANT, after }: RecordingQuery): Stretch {
  // Numbers start at 1: both bounds are in.
  const first = { startedAt: from, number: 0 };
  return {
    after: after !== undefined && comparePlaces(after, first) > 0 ? after : first,
    until: { startedAt: to + 1, number: 0 },
  };
}

/** Whose day counts tell of these runs; null where nobody's do. */
export function ownersOf(runs: readonly Run[]): number[] | null {
  if (runs.length === 1 && runs[0]?.kind === 'live') return [EVERYONE];
  if (!runs.every((run) => run.kind === 'user')) return null;
  return runs.map((run) => ('of' in run ? run.of : EVERYONE));
}

import type { Recording, RecordingState } from './recording.ts';

/** Recordings in the order of their start, then number, ascending. All that is given must hold. */
export interface RecordingQuery {
  /** Of these users, by their own numbers; an empty list finds nobody. */
  readonly userNumbers?: readonly number[];
  readonly leadId?: number;
  /** Bounds of the start of the call, both included, in milliseconds. */
  readonly from?: number;
  readonly to?: number;
  /** States to be found; all but `purged` where it is not given. */
  readonly states?: readonly RecordingState[];
  readonly minSeconds?: number;
  /** Only what is not past its retention at this instant, in milliseconds since 1970 UTC. */
  readonly keptAt?: number;
  /** Only what comes behind this recording in the order. */
  readonly after?: { readonly startedAt: number; readonly number: number };
  readonly offset?: number;
  readonly limit: number;
  readonly count: 'none' | 'exact';
}

export interface RecordingPage<R = Recording> {
  readonly recordings: readonly R[];
  readonly hasMore: boolean;
  readonly total: number | null;
}

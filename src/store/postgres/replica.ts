import { LRUCache } from 'lru-cache';
import type { ContactCenter } from '../../access/contact-center.ts';
import type { EngineFigures, FigureValue } from '../../access/ports.ts';
import { Failure } from '../../errors.ts';
import type { Engine, Observe, Reader, Statement } from '../engine.ts';
import { PostgresEngine } from './engine.ts';
import type { PostgresLimits, PostgresPlace } from './place.ts';

/** How long what was found out of the replica holds, in milliseconds. */
const FRESH = 1000;
/** Waiting for a connection to it, in milliseconds: the primary can answer as well. */
const ACQUIRE = 500;
/** States of the primary that are remembered, one a second at most. */
const MOST_STATES = 120;
/** Contact centers of which it is remembered how far the replica is. */
const MOST_SEEN = 10_000;

/** Where the primary's log ends, in bytes, and which cluster it is. */
const PRIMARY: Statement = {
  name: 'replica.primary',
  sql: `select pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, '0/0'),
    (select system_identifier::text from pg_control_system())`,
  parameters: [],
};
/** How much of it a standby has applied; nothing of a server that is none. */
const STANDBY: Statement = {
  name: 'replica.standby',
  sql: `select pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), (select system_identifier::text from pg_control_system())
    where pg_is_in_recovery()`,
  parameters: [],
};
const REVISIONS: Statement = {
  name: 'replica.revisions',
  sql: 'select revision, recordings_revision, epoch from contact_centers where contact_center_id = cast($1 as bigint)',
  parameters: ['cc'],
};

type Revisions = Pick<ContactCenter, 'revision' | 'recordingsRevision'>;
/** What a standby had of a contact center. After a restore, the same revisions are of another epoch. */
type Seen = Revisions & { readonly epoch: string };

const reaches = (seen: Seen, needed: ContactCenter, of: keyof Revisions): boolean =>
  needed.history.startsWith(`${seen.epoch} `) && seen[of] >= needed[of];
const REASONS = ['away', 'lag', 'behind'] as const;
/** Why the primary answers: the replica cannot, lags too far, or lacks what this contact center last wrote. */
type Reason = (typeof REASONS)[number];

/**
 * A standby that is read in place of the primary. It answers for a contact center only where it has whatever the
 * primary had when that was read there, its revision: nobody who wrote, or saw what was written, sees less by it.
 */
export class Replica {
  readonly engine: Engine;
  readonly #primary: Reader;
  readonly #maxLag: number;
  readonly #seen = new LRUCache<number, Seen>({ max: MOST_SEEN });
  readonly #fallbacks: Record<Reason, number> = { away: 0, lag: 0, behind: 0 };
  #reads = 0;
  /** Where the primary's log ended, and when; the first is what it has to have whatever is asked. */
  #states: { readonly at: number; readonly end: number }[] = [];
  #least: number | null = null;
  #lag = Number.POSITIVE_INFINITY;
  #verdict: Reason | null = 'away';
  #checked = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | null = null;

  /** @param maxLag how far behind it may be, in milliseconds */
  constructor(
    place: PostgresPlace,
    limits: PostgresLimits,
    primary: Reader,
    maxLag: number,
    observe?: Observe,
  ) {
    // The primary is asked where it fails, for which some of the time must be left.
    const shorter = { ...limits, acquire: ACQUIRE, read: Math.round(limits.read / 2) };
    this.engine = new PostgresEngine(place, shorter, observe);
    this.#primary = primary;
    this.#maxLag = maxLag;
  }

  /**
   * Looks at both for the first time; what is in the primary by now is what the replica needs at least. Gives
   * whether it could be reached.
   */
  async begin(): Promise<boolean> {
    await this.#check();
    return this.#verdict !== 'away';
  }

  /** Answers by the replica where that can be, else by the primary. @param of which revision of it says how new */
  async answer<T>(
    contactCenter: ContactCenter,
    of: keyof Revisions,
    byReplica: () => Promise<T>,
    byPrimary: () => Promise<T>,
  ): Promise<T> {
    const reason = await this.#whyNot(contactCenter, of);
    if (reason === null) {
      try {
        const answer = await byReplica();
        this.#reads += 1;
        return answer;
      } catch (error) {
        // What is wrong with the question is wrong wherever it is asked.
        if (error instanceof Failure && error.kind !== 'unavailable') throw error;
        this.#distrust();
      }
    }
    this.#fallbacks[reason ?? 'away'] += 1;
    return byPrimary();
  }

  readonly figures: EngineFigures = {
    definitions: [
      {
        name: 'postgres_replica_reads_total',
        help: 'Searches and exports that the replica answered',
        kind: 'counter',
        labels: [],
        of: 'process',
      },
      {
        name: 'postgres_replica_fallbacks_total',
        help: 'Searches and exports that the primary answered in its place',
        kind: 'counter',
        labels: ['reason'],
        of: 'process',
      },
      {
        name: 'postgres_replica_lag_seconds',
        help: 'How far the replica is behind; nothing where it is away',
        kind: 'gauge',
        labels: [],
        of: 'store',
      },
    ],
    here: () =>
      new Map<string, readonly FigureValue[]>([
        ['postgres_replica_reads_total', [{ labels: {}, value: this.#reads }]],
        [
          'postgres_replica_fallbacks_total',
          REASONS.map((reason) => ({ labels: { reason }, value: this.#fallbacks[reason] })),
        ],
      ]),
    // Whoever watches it is told how it is now, whether anything is read or not.
    asked: async () => {
      if (this.#isStale()) await this.#check();
      const told = Number.isFinite(this.#lag) ? [{ labels: {}, value: this.#lag / 1000 }] : [];
      return new Map([['postgres_replica_lag_seconds', told]]);
    },
  };

  close(): Promise<void> {
    return this.engine.close();
  }

  async #whyNot(needed: ContactCenter, of: keyof Revisions): Promise<Reason | null> {
    if (this.#isStale()) {
      const checked = this.#check();
      // One that was no good is not waited for.
      if (this.#verdict === null) await checked;
    }
    if (this.#verdict !== null) return this.#verdict;
    const known = this.#seen.get(needed.id);
    if (known !== undefined && reaches(known, needed, of)) return null;
    try {
      const [row] = await this.engine.read(REVISIONS, { cc: needed.id });
      if (row === undefined) return 'behind';
      const [revision, recordingsRevision, epoch] = row;
      const seen = {
        revision: Number(revision),
        recordingsRevision: Number(recordingsRevision),
        epoch: String(epoch),
      };
      this.#seen.set(needed.id, seen);
      return reaches(seen, needed, of) ? null : 'behind';
    } catch {
      this.#distrust();
      return 'away';
    }
  }

  #isStale(): boolean {
    return performance.now() - this.#checked > FRESH;
  }

  /** Has it looked at again before it is asked again. */
  #distrust(): void {
    this.#verdict = 'away';
    this.#checked = Number.NEGATIVE_INFINITY;
    // Whoever answers there next may be another server.
    this.#seen.clear();
  }

  #check(): Promise<void> {
    this.#checking ??= this.#look()
      .then(
        (lag) => {
          this.#lag = lag;
          this.#verdict = lag <= this.#maxLag ? null : 'lag';
        },
        () => {
          this.#distrust();
          this.#lag = Number.POSITIVE_INFINITY;
        },
      )
      .finally(() => {
        this.#checked = performance.now();
        this.#checking = null;
      });
    return this.#checking;
  }

  /**
   * How far the replica is behind, in milliseconds, by this process's own clock: since when the primary has had what
   * the replica lacks. Times that the servers tell say nothing where nothing is sent, or clocks differ.
   */
  async #look(): Promise<number> {
    const [primary] = await this.#primary.read(PRIMARY, {});
    const end = Number(primary?.[0]);
    const state = { at: performance.now(), end };
    this.#least ??= end;
    this.#states = [...this.#states, state].slice(-MOST_STATES);
    const [standby] = await this.engine.read(STANDBY, {});
    if (standby === undefined || standby[1] !== primary?.[1])
      throw new Error('it is no standby of the primary');
    const applied = Number(standby[0]);
    if (applied < this.#least) return Number.POSITIVE_INFINITY;
    const had = this.#states.findLast((each) => each.end <= applied);
    if (had === undefined) return Number.POSITIVE_INFINITY;
    return had === state ? 0 : performance.now() - had.at;
  }
}

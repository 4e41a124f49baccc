import { type RawBuilder, sql } from 'kysely';
import type { ListedRecording } from '../../recordings/recording.ts';
import type { Cell, Reader } from '../engine.ts';
import { type Builder, cell, int, ints, listValues, padded, type Statements } from '../statements.ts';
import type { Shape } from './row.ts';

/**
 * Recordings that lie sorted by start and number in an index: of a user, of a lead, all that are no
 * tombstones, all that are, and all that are let go once the contact center's retention is over.
 */
export type Run =
  | { readonly kind: 'user' | 'lead'; readonly of: number }
  | { readonly kind: 'live' | 'purged' | 'retained' };

/** A place in the order of recordings. */
export interface Place {
  readonly startedAt: number;
  readonly number: number;
}

/** A stretch of the order: both ends are left out. */
export interface Stretch {
  readonly after: Place;
  readonly until: Place;
}

type Columns = Pick<Shape<ListedRecording>, 'name' | 'columns'>;
type Counted = 'all' | 'retained';

/** Entries of an index that one statement passes at most. */
const STRIDE = 20_000;
/** Runs that one statement merges. */
const MERGED = 32;
/** Users whose entries one statement counts. */
const COUNTED = 64;
/** Rows that one statement fetches by their numbers. */
const FETCHED = 512;

export const comparePlaces = (a: Place, b: Place): number => a.startedAt - b.startedAt || a.number - b.number;

const readPlace = (row: readonly Cell[]): Place => ({ startedAt: Number(row[0]), number: Number(row[1]) });

const boundsOf = ({ after, until }: Stretch) => ({
  afterStart: after.startedAt,
  afterNumber: after.number,
  untilStart: until.startedAt,
  untilNumber: until.number,
});

const ofOf = (run: Run): number => ('of' in run ? run.of : 0);
const nextTurn = () => new Promise(setImmediate);

/** Statements over runs. None passes more than some ten thousand entries; longer ways are gone in several. */
export function createRuns(statements: Statements) {
  const entries = (db: Builder, kind: Run['kind'], of: RawBuilder<number>) => {
    const rows = db
      .selectFrom('recordings as r')
      .where('r.contact_center_id', '=', int('cc'))
      // Row values keep both columns of the index in use, but only against parameters without a cast; what
      // `int` saves is at stake in joins alone.
      .where(
        sql<boolean>`(r.started_at, r.number) > (${cell<number>('afterStart')}, ${cell<number>('afterNumber')})`,
      )
      .where(
        sql<boolean>`(r.started_at, r.number) < (${cell<number>('untilStart')}, ${cell<number>('untilNumber')})`,
      )
      .orderBy('r.started_at')
      .orderBy('r.number');
    switch (kind) {
      case 'user':
        return rows.where('r.user_number', '=', of);
      case 'lead':
        return rows.where('r.lead_id', '=', of);
      case 'live':
        return rows.where('r.user_number', 'is not', null);
      case 'purged':
        return rows.where('r.user_number', 'is', null);
      case 'retained':
        return rows
          .where('r.user_number', 'is not', null)
          .where('r.keep_until', 'is', null)
          .where('r.legal_hold', '=', sql.lit(0));
    }
  };
  const whole = (kind: Run['kind'], { name, columns }: Columns) =>
    statements.get(`recordings.${kind}_${name}`, '', (db) =>
      entries(db, kind, int('of'))
        .select(columns.map((column) => `r.${column}` as const))
        .limit(int('limit'))
        .offset(int('offset')),
    );
  const jump = (kind: Run['kind']) =>
    statements.get(`recordings.${kind}_jump`, '', (db) =>
      entries(db, kind, int('of'))
        .select(['r.started_at', 'r.number'])
        .limit(sql.lit(1))
        .offset(sql.lit(STRIDE - 1)),
    );
  const rest = (kind: Run['kind']) =>
    statements.get(`recordings.${kind}_rest`, '', (db) =>
      db
        .selectFrom(entries(db, kind, int('of')).select('r.number').limit(sql.lit(STRIDE)).as('rest'))
        .select((each) => each.fn.countAll<number>().as('total')),
    );
  // User by user: from a list of users, PostgreSQL would rather count what everyone has in that time.
  const ofUsers = (size: number) =>
    statements.get('recordings.of_users', String(size), (db) => {
      const ofOne = db
        .selectFrom('recordings as r')
        .select((each) => each.fn.countAll<number>().as('count'))
        .where('r.contact_center_id', '=', int('cc'))
        .where('r.user_number', '=', sql.ref<number>('each_user.column1'))
        .where('r.started_at', '>', int('afterStart'))
        .where('r.started_at', '<', int('untilStart'));
      const users = sql.join(ints('u', size).map((user) => sql`(${user})`));
      return {
        compile: () => sql`select sum(${ofOne}) as total from (values ${users}) as each_user`.compile(db),
      };
    });
  const retainedOfUsers = (size: number) =>
    statements.get('recordings.retained_of_users', String(size), (db) =>
      db
        .selectFrom('recordings')
        .select((each) => each.fn.countAll<number>().as('total'))
        .where('contact_center_id', '=', int('cc'))
        .where('user_number', 'in', ints('u', size))
        .where('started_at', '>', int('afterStart'))
        .where('started_at', '<', int('untilStart'))
        .where('keep_until', 'is', null)
        .where('legal_hold', '=', sql.lit(0)),
    );
  const merged = (kinds: readonly Run['kind'][]) =>
    statements.get('recordings.merged', kinds.join(), (db) => {
      // Each run is sorted: taking a page of each bounds the work, whoever has many.
      const parts = kinds.map((kind, at) =>
        db
          .selectFrom(
            entries(db, kind, int(`of${at}`))
              .select(['r.started_at', 'r.number'])
              .limit(int('limit'))
              .as('run'),
          )
          .select(['run.started_at', 'run.number']),
      );
      const [first, ...others] = parts as [(typeof parts)[number], ...typeof parts];
      return others
        .reduce((query, next) => query.unionAll(next), first)
        .orderBy('started_at')
        .orderBy('number')
        .limit(int('limit'));
    });
  const byNumbers = (size: number, { name, columns }: Columns) =>
    statements.get('recordings.by_numbers', `${size} ${name}`, (db) =>
      db
        .selectFrom('recordings')
        .select(columns)
        .where('contact_center_id', '=', int('cc'))
        .where('number', 'in', ints('n', size)),
    );

  return {
    /** Rows of one run, from an offset that is small. */
    rows(
      reader: Reader,
      cc: number,
      run: Run,
      stretch: Stretch,
      { offset, limit, columns }: { offset: number; limit: number; columns: Columns },
    ) {
      const values = { cc, of: ofOf(run), ...boundsOf(stretch), offset, limit };
      return reader.read(whole(run.kind, columns), values);
    },

    /** The first places of several runs together. */
    async merge(
      reader: Reader,
      cc: number,
      runs: readonly Run[],
      stretch: Stretch,
      limit: number,
    ): Promise<Place[]> {
      let found: Place[] = [];
      let until = stretch.until;
      for (let from = 0; from < runs.length; from += MERGED) {
        if (from > 0) await nextTurn();
        const part = runs.slice(from, from + MERGED);
        // Places that are left over are of nobody.
        while (part.length < padded(part.length)) part.push({ kind: 'user', of: -1 });
        const rows = await reader.read(merged(part.map((run) => run.kind)), {
          cc,
          limit,
          ...boundsOf({ after: stretch.after, until }),
          ...Object.fromEntries(part.map((run, at) => [`of${at}`, ofOf(run)])),
        });
        found = [...found, ...rows.map(readPlace)].sort(comparePlaces).slice(0, limit);
        // Once there are enough, what comes behind the last of them is of no use.
        const last = found.at(-1);
        if (found.length === limit && last !== undefined) until = last;
      }
      return found;
    },

    /** Whole rows by their numbers, in no order; those that are gone are missing. */
    async fetch(reader: Reader, cc: number, numbers: readonly number[], columns: Columns): Promise<Cell[][]> {
      const rows: Cell[][] = [];
      for (let from = 0; from < numbers.length; from += FETCHED) {
        const part = numbers.slice(from, from + FETCHED);
        const size = padded(part.length);
        rows.push(...(await reader.read(byNumbers(size, columns), { cc, ...listValues('n', part, size) })));
      }
      return rows;
    },

    /**
     * Where the first `count` entries of a stretch end, in strides between which others get their turn.
     * @returns how many were passed, and what is left of the stretch
     */
    async pass(
      reader: Reader,
      cc: number,
      run: Run,
      stretch: Stretch,
      count: number,
    ): Promise<{ readonly passed: number; readonly left: Stretch }> {
      let passed = 0;
      let left = stretch;
      while (passed + STRIDE <= count) {
        const values = { cc, of: ofOf(run), ...boundsOf(left) };
        const [row] = await reader.read(jump(run.kind), values);
        if (row === undefined) break;
        passed += STRIDE;
        left = { after: readPlace(row), until: left.until };
        await nextTurn();
      }
      return { passed, left };
    },

    /** How many entries a stretch of one run has. Most have few, and cost one statement. */
    async count(reader: Reader, cc: number, run: Run, stretch: Stretch): Promise<number> {
      for (let before = 0, left = stretch; ; ) {
        const [row] = await reader.read(rest(run.kind), { cc, of: ofOf(run), ...boundsOf(left) });
        const found = Number(row?.[0]);
        if (found < STRIDE) return before + found;
        const ahead = await this.pass(reader, cc, run, left, STRIDE);
        before += ahead.passed;
        left = ahead.left;
      }
    },

    /**
     * How many recordings of these users start between two instants, both left out; for a day or two, or of
     * those that are let go once the contact center's retention is over.
     */
    async countOfUsers(
      reader: Reader,
      cc: number,
      users: readonly number[],
      bounds: { readonly afterStart: number; readonly untilStart: number },
      kind: Counted = 'all',
    ): Promise<number> {
      let total = 0;
      for (let from = 0; from < users.length; from += COUNTED) {
        if (from > 0) await nextTurn();
        const part = users.slice(from, from + COUNTED);
        const size = padded(part.length);
        const statement = kind === 'all' ? ofUsers(size) : retainedOfUsers(size);
        // Places that are left over are of nobody: whoever is named twice would be counted twice.
        const list = Array.from({ length: size }, (_, at) => part[at] ?? -1);
        total += Number((await reader.read(statement, { cc, ...bounds, u: list }))[0]?.[0]);
      }
      return total;
    },
  };
}

export type Runs = ReturnType<typeof createRuns>;

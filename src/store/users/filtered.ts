import { sql } from 'kysely';
import { fold, isStorable } from '../../directory/fold.ts';
import type { Filter, Match, UserField } from '../../directory/query.ts';
import { TERM } from '../../directory/terms.ts';
import { isTimeZone } from '../../directory/time-zone.ts';
import type { Cell, Engine } from '../engine.ts';
import { type Builder, int, type Statements, text } from '../statements.ts';
import type { PageStatements } from './page-statements.ts';

/** Filters that are search terms, the most telling first; the first one given leads the walk. */
const TERM_FILTERS = ['name', 'callerIdGroup', 'timezone', 'role'] as const;
type TermFilter = (typeof TERM_FILTERS)[number];

/** Filters that few users share; they are found through an index of their own. */
const NARROW = {
  email: { table: 'users', user: 'n.number', value: 'n.email_key' },
  sipAccount: { table: 'users', user: 'n.number', value: 'n.sip_account_key' },
  extension: { table: 'user_extensions', user: 'n.user_number', value: 'n.extension' },
} as const;
const isNarrow = (filter: Filter): filter is keyof typeof NARROW => filter in NARROW;

/** Terms looked at by one statement, so that a rare combination of common values stalls nobody. */
const WINDOW = 2000;

type Filtered = Extract<Match, { kind: 'filtered' }>;

/** Pages of users that have each of several values. */
export function createFilterWalk(engine: Engine, statements: Statements, pages: PageStatements) {
  const role = statements.get('roles.by_name', '', (db) =>
    db
      .selectFrom('roles')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('name_key', '=', text('key')),
  );
  const window = statements.get('user_terms.window', '', (db) =>
    db
      .selectFrom('user_terms')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('term', '=', text('term'))
      .where('number', '>', int('after'))
      .orderBy('number')
      .limit(sql.lit(1))
      .offset(sql.lit(WINDOW - 1)),
  );

  const build = (
    filters: readonly Filter[],
    byNumber: boolean,
    byZone: boolean,
    lead: TermFilter | null,
    fields: readonly UserField[],
  ) =>
    statements.get(
      'users.filtered_page',
      `${filters.join()} ${byNumber} ${byZone} ${fields.join()}`,
      (db: Builder) => {
        const hasTerm = (filter: TermFilter) =>
          db
            .selectFrom('user_terms as t')
            .select('t.number')
            .where('t.contact_center_id', '=', int('cc'))
            .where('t.dialect', '=', text('dialect'))
            .where('t.term', '=', text(filter));
        let query = pages.listed(db, fields, byZone);
        if (byNumber) query = query.where('d.number', '=', int('number'));
        // Cities are not unique: a zone given by its whole name is told from others of that city.
        if (byZone) query = query.where(sql`lower(u.timezone)`, '=', text('zone'));
        for (const filter of filters) {
          if (isNarrow(filter)) {
            const { table, user, value } = NARROW[filter];
            query = query.where(
              'd.number',
              'in',
              db
                .selectFrom(db.dynamic.table(table).as('n'))
                .innerJoin('dialect_numbers as m', (join) =>
                  join
                    .onRef('m.contact_center_id', '=', 'n.contact_center_id')
                    .on('m.user_number', '=', sql.ref<number>(user))
                    .on('m.dialect', '=', text('dialect')),
                )
                .select('m.number')
                .where('n.contact_center_id', '=', int('cc'))
                .where(sql.ref<string>(value), '=', text(filter)),
            );
          } else if (filter === lead) {
            query = query.where(
              'd.number',
              'in',
              hasTerm(filter)
                .where('t.number', '>', int('after'))
                .where('t.number', '<=', int('upto'))
                .orderBy('t.number')
                .limit(int('candidates')),
            );
          } else {
            query = query.where((each) =>
              each.exists(hasTerm(filter).where('t.number', '=', sql.ref<number>('d.number'))),
            );
          }
        }
        return query.where('d.number', '>', int('after')).limit(int('limit')).offset(int('offset'));
      },
    );

  const LAST = 2 ** 31;

  return async function walk(
    cc: number,
    dialect: string,
    match: Filtered,
    fields: readonly UserField[],
    after: number,
    offset: number,
    wanted: number,
  ): Promise<Cell[][]> {
    const given = Object.entries(match.filters) as [Filter, string][];
    if (!given.every(([, value]) => isStorable(value))) return [];
    const values: Record<string, Cell> = { cc, dialect };
    for (const [filter, value] of given) {
      // Users are filed under the city alone: what only ends like a zone's name must not find them.
      if (filter === 'timezone' && value.includes('/') && !isTimeZone(value.trim())) return [];
      if (filter === 'role') {
        const [row] = await engine.read(role, { cc, key: fold(value) });
        if (row === undefined) return [];
        values[filter] = TERM.role(Number(row[0]));
      } else {
        values[filter] =
          filter === 'email' || filter === 'sipAccount' || filter === 'extension'
            ? fold(value)
            : TERM[filter](value);
      }
    }
    const filters = given.map(([filter]) => filter).sort();
    const byNumber = match.number !== undefined;
    if (match.number !== undefined) values.number = match.number;
    const byZone = match.filters.timezone?.includes('/') === true;
    if (byZone) values.zone = fold(match.filters.timezone ?? '');
    const narrow = byNumber || filters.some(isNarrow);
    const lead = narrow ? null : (TERM_FILTERS.find((filter) => filters.includes(filter)) ?? null);
    const statement = build(filters, byNumber, byZone, lead, fields);

    if (lead === null) return engine.read(statement, { ...values, after, offset, limit: wanted });
    if (filters.length === 1 && !byZone) {
      return engine.read(statement, {
        ...values,
        after,
        upto: LAST,
        candidates: offset + wanted,
        offset,
        limit: wanted,
      });
    }
    const rows: Cell[][] = [];
    let from = after;
    let skip = offset;
    while (rows.length < wanted) {
      const [end] = await engine.read(window, { cc, dialect, term: values[lead] as string, after: from });
      const upto = end === undefined ? LAST : Number(end[0]);
      const found = await engine.read(statement, {
        ...values,
        after: from,
        upto,
        candidates: WINDOW,
        offset: 0,
        limit: skip + wanted - rows.length,
      });
      rows.push(...found.slice(skip, skip + wanted - rows.length));
      skip = Math.max(0, skip - found.length);
      if (end === undefined) break;
      from = upto;
      // Each window is a statement of its own; others get their turn between them.
      await new Promise(setImmediate);
    }
    return rows;
  };
}

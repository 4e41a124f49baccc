import { type Compilable, sql } from 'kysely';
import type { UserField } from '../../directory/query.ts';
import type { Statement } from '../engine.ts';
import { type Builder, int, ints, type Statements, text, texts } from '../statements.ts';
import { columnsOf } from './columns.ts';

/** The statements behind pages of users. Each starts from sorted dialect numbers and stops at its limit. */
export function createPageStatements(statements: Statements) {
  /**
   * `dialect_numbers d` with what the fields need: its users, where it is more than their version or the
   * caller narrows by them.
   */
  const listed = (db: Builder, fields: readonly UserField[], byUser = false) => {
    const isVersionAlone = fields.length === 1 && fields[0] === 'version';
    const rows = db
      .selectFrom('dialect_numbers as d')
      .$if(byUser || !isVersionAlone, (query) =>
        query.innerJoin('users as u', (join) =>
          join
            .onRef('u.contact_center_id', '=', 'd.contact_center_id')
            .onRef('u.number', '=', 'd.user_number'),
        ),
      );
    return rows
      .select([
        'd.number',
        ...(isVersionAlone ? ['d.version'] : columnsOf(fields)).map((column) => sql.ref(column).as(column)),
      ])
      .where('d.contact_center_id', '=', int('cc'))
      .where('d.dialect', '=', text('dialect'))
      .orderBy('d.number');
  };

  const anyOfNumbers = (db: Builder, size: number, numberSize: number) =>
    db
      .selectFrom('user_terms as t')
      .select('t.number')
      .where('t.contact_center_id', '=', int('cc'))
      .where('t.dialect', '=', text('dialect'))
      .where('t.term', 'in', texts('term', size))
      .union(
        db
          .selectFrom('users as e')
          .innerJoin('dialect_numbers as n', (join) =>
            join
              .onRef('n.contact_center_id', '=', 'e.contact_center_id')
              .onRef('n.user_number', '=', 'e.number')
              .on('n.dialect', '=', text('dialect')),
          )
          .select('n.number')
          .where('e.contact_center_id', '=', int('cc'))
          .where('e.email_key', 'in', texts('email', size)),
      )
      .$if(numberSize > 0, (query) =>
        query.union(
          db
            .selectFrom('dialect_numbers as i')
            .select('i.number')
            .where('i.contact_center_id', '=', int('cc'))
            .where('i.dialect', '=', text('dialect'))
            .where('i.number', 'in', ints('number', numberSize)),
        ),
      );

  return {
    listed,

    /** Whether a term finds anybody. */
    hasTerm: statements.get('user_terms.any', '', (db) =>
      db
        .selectFrom('user_terms')
        .select('number')
        .where('contact_center_id', '=', int('cc'))
        .where('dialect', '=', text('dialect'))
        .where('term', '=', text('term'))
        .limit(sql.lit(1)),
    ),

    everyone: (fields: readonly UserField[]): Statement =>
      statements.get('users.page', fields.join(), (db) =>
        listed(db, fields).where('d.number', '>', int('after')).limit(int('limit')),
      ),

    /** The user with this email, and at the end of the row 1 where the term finds somebody too. */
    byEmail: (fields: readonly UserField[]): Statement =>
      statements.get('users.by_email', fields.join(), (db) =>
        listed(db, fields, true)
          .select(
            sql<number>`exists ${db
              .selectFrom('user_terms as t')
              .select('t.number')
              .where('t.contact_center_id', '=', int('cc'))
              .where('t.dialect', '=', text('dialect'))
              .where('t.term', '=', text('term'))}`.as('named'),
          )
          .where(sql.ref('u.contact_center_id'), '=', int('cc'))
          .where(sql.ref('u.email_key'), '=', text('email')),
      ),

    numbered: (fields: readonly UserField[], size: number): Statement =>
      statements.get('users.numbered', `${size} ${fields.join()}`, (db) =>
        listed(db, fields).where('d.number', 'in', ints('number', size)),
      ),

    /** A page of the users that one term finds. */
    byTerm: (fields: readonly UserField[]): Statement =>
      statements.get('users.by_term', fields.join(), (db) =>
        listed(db, fields).where(
          'd.number',
          'in',
          db
            .selectFrom('user_terms as t')
            .select('t.number')
            .where('t.contact_center_id', '=', int('cc'))
            .where('t.dialect', '=', text('dialect'))
            .where('t.term', '=', text('term'))
            .orderBy('t.number')
            .limit(int('limit'))
            .offset(int('offset')),
        ),
      ),

    anyOf: (
      shape: 'page' | 'count',
      fields: readonly UserField[],
      size: number,
      numberSize: number,
    ): Statement =>
      statements.get(`users.any_of_${shape}`, `${size} ${numberSize} ${fields.join()}`, (db): Compilable => {
        const numbers = anyOfNumbers(db, size, numberSize);
        if (shape === 'count') {
          return db.selectFrom(numbers.as('m')).select((each) => each.fn.countAll<number>().as('total'));
        }
        return listed(db, fields).where(
          'd.number',
          'in',
          db
            .selectFrom(numbers.orderBy('number').limit(int('limit')).offset(int('offset')).as('m'))
            .select('m.number'),
        );
      }),

    flagged: (fields: readonly UserField[], size: number): Statement =>
      statements.get('users.flagged_page', `${size} ${fields.join()}`, (db) => {
        // Each mask's numbers are one sorted run: taking a page of each bounds the work, whatever is rare.
        const run = (term: (typeof terms)[number]) =>
          db
            .selectFrom(
              db
                .selectFrom('user_terms as t')
                .select('t.number')
                .where('t.contact_center_id', '=', int('cc'))
                .where('t.dialect', '=', text('dialect'))
                .where('t.term', '=', term)
                .where('t.number', '>', int('after'))
                .orderBy('t.number')
                .limit(int('limit'))
                .as('run'),
            )
            .select('run.number');
        const terms = texts('term', size);
        const [first, ...rest] = terms.map(run) as [ReturnType<typeof run>, ...ReturnType<typeof run>[]];
        const all = rest.reduce((query, next) => query.unionAll(next), first);
        return listed(db, fields).where(
          'd.number',
          'in',
          db.selectFrom(all.orderBy('number').limit(int('limit')).as('m')).select('m.number'),
        );
      }),
  };
}

export type PageStatements = ReturnType<typeof createPageStatements>;

import { type Compilable, sql } from 'kysely';
import type { KnownBy, KnownUser } from '../../directory/ports.ts';
import type { User } from '../../directory/user.ts';
import type { Cell, Reader } from '../engine.ts';
import { type Builder, int, ints, listValues, padded, type Statements, text, texts } from '../statements.ts';
import { columnsOf, readListed, USER_FIELDS } from './columns.ts';
import type { ReadNames } from './names.ts';

/** The longest list that one statement is given. */
const PART = 512;

/** Whole users, with all their dialect numbers: for writers and for the native export. */
export function createKnownUsers(statements: Statements, names: ReadNames<number>) {
  const numbersBy = {
    id: (size: number) =>
      statements.get('users.find_by_id', String(size), (db) =>
        db
          .selectFrom('users')
          .select('number')
          .where('contact_center_id', '=', int('cc'))
          .where('id', 'in', texts('k', size)),
      ),
    number: (size: number) =>
      statements.get('users.find_by_number', String(size), (db) =>
        db
          .selectFrom('users')
          .select('number')
          .where('contact_center_id', '=', int('cc'))
          .where('number', 'in', ints('k', size)),
      ),
    email: (size: number) =>
      statements.get('users.find_by_email', String(size), (db) =>
        db
          .selectFrom('users')
          .select('number')
          .where('contact_center_id', '=', int('cc'))
          .where('email_key', 'in', texts('k', size)),
      ),
    loginId: (size: number) =>
      statements.get('users.find_by_login_id', String(size), (db) =>
        db
          .selectFrom('users')
          .select('number')
          .where('contact_center_id', '=', int('cc'))
          .where('login_id_key', 'in', texts('k', size)),
      ),
    extension: (size: number) =>
      statements.get('users.find_by_extension', String(size), (db) =>
        db
          .selectFrom('user_extensions')
          .select('user_number')
          .where('contact_center_id', '=', int('cc'))
          .where('extension', 'in', texts('k', size)),
      ),
    dialectNumber: (size: number) =>
      statements.get('users.find_by_dialect_number', String(size), (db) =>
        db
          .selectFrom('dialect_numbers')
          .select('user_number')
          .where('contact_center_id', '=', int('cc'))
          .where('dialect', '=', text('dialect'))
          .where('number', 'in', ints('k', size)),
      ),
  };

  const wholeUsers = (
    name: string,
    variant: string,
    narrow: (query: ReturnType<typeof selectWhole>) => Compilable,
  ) => statements.get(name, variant, (db) => narrow(selectWhole(db)));
  const selectWhole = (db: Builder) =>
    db
      .selectFrom('users as u')
      .select(['u.number', ...columnsOf(USER_FIELDS).map((column) => sql.ref(column).as(column))])
      .where('u.contact_center_id', '=', int('cc'))
      .orderBy('u.number');

  async function complete(reader: Reader, cc: number, rows: Cell[][]): Promise<KnownUser[]> {
    if (rows.length === 0) return [];
    const users = readListed(rows, USER_FIELDS, await names(reader, cc, rows, USER_FIELDS));
    const known = new Map(
      users.map(({ dialectNumber: _, ...user }) => [
        user.number,
        { user, numbers: {} as Record<string, number>, given: new Set<string>() },
      ]),
    );
    const wanted = [...known.keys()];
    for (let from = 0; from < wanted.length; from += PART) {
      const part = wanted.slice(from, from + PART);
      const size = padded(part.length);
      const statement = statements.get('dialect_numbers.of_users', String(size), (db) =>
        db
          .selectFrom('dialect_numbers')
          .select(['user_number', 'dialect', 'number', 'given'])
          .where('contact_center_id', '=', int('cc'))
          .where('user_number', 'in', ints('k', size)),
      );
      for (const [user, dialect, number, given] of await reader.read(statement, {
        cc,
        ...listValues('k', part, size),
      })) {
        const entry = known.get(Number(user));
        if (entry === undefined) continue;
        entry.numbers[String(dialect)] = Number(number);
        if (given === 1) entry.given.add(String(dialect));
      }
    }
    return [...known.values()].map(({ user, numbers, given }) => ({
      user: { ...user, dialectNumbers: numbers } satisfies User,
      given,
    }));
  }

  async function numbersOf(
    reader: Reader,
    cc: number,
    by: keyof typeof numbersBy,
    keys: Iterable<Cell>,
    into: Set<number>,
    dialect: string | null = null,
  ): Promise<void> {
    const all = [...keys];
    for (let from = 0; from < all.length; from += PART) {
      const part = all.slice(from, from + PART);
      const size = padded(part.length);
      const rows = await reader.read(numbersBy[by](size), { cc, dialect, ...listValues('k', part, size) });
      for (const [number] of rows) into.add(Number(number));
    }
  }

  const count = statements.get('users.count', '', (db) =>
    db
      .selectFrom('number_counts')
      .select((each) => [each.fn.sum('count').as('total')])
      .where('contact_center_id', '=', int('cc'))
      .where('level', '=', 3)
      .groupBy('dialect')
      .limit(sql.lit(1)),
  );
  const last = statements.get('dialect_numbers.last', '', (db) =>
    db
      .selectFrom('dialect_numbers')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .orderBy('number', 'desc')
      .limit(sql.lit(1)),
  );

  return {
    /** Everyone who answers to any of the keys. */
    async find(reader: Reader, cc: number, keys: KnownBy): Promise<KnownUser[]> {
      const numbers = new Set<number>();
      await numbersOf(reader, cc, 'id', keys.ids, numbers);
      await numbersOf(reader, cc, 'number', keys.numbers, numbers);
      await numbersOf(reader, cc, 'email', keys.emails, numbers);
      await numbersOf(reader, cc, 'loginId', keys.loginIds, numbers);
      await numbersOf(reader, cc, 'extension', keys.extensions, numbers);
      for (const [dialect, each] of keys.dialectNumbers) {
        await numbersOf(reader, cc, 'dialectNumber', each, numbers, dialect);
      }
      const wanted = [...numbers];
      const found: KnownUser[] = [];
      for (let from = 0; from < wanted.length; from += PART) {
        const part = wanted.slice(from, from + PART);
        const size = padded(part.length);
        const statement = wholeUsers('users.whole', String(size), (query) =>
          query.where('u.number', 'in', ints('k', size)),
        );
        const rows = await reader.read(statement, { cc, ...listValues('k', part, size) });
        found.push(...(await complete(reader, cc, rows)));
      }
      return found;
    },

    /** The number of the user whose email, or else whose login id, is this folded text; null for nobody. */
    async findNumber(reader: Reader, cc: number, folded: string): Promise<number | null> {
      for (const by of ['email', 'loginId'] as const) {
        const found = new Set<number>();
        await numbersOf(reader, cc, by, [folded], found);
        for (const number of found) return number;
      }
      return null;
    },

    /** Users by their own number, ascending. */
    async pageByNumber(reader: Reader, cc: number, after: number, limit: number): Promise<User[]> {
      const statement = wholeUsers('users.whole_page', '', (query) =>
        query.where('u.number', '>', int('after')).limit(int('limit')),
      );
      const known = await complete(reader, cc, await reader.read(statement, { cc, after, limit }));
      return known.map((each) => each.user);
    },

    async count(reader: Reader, cc: number): Promise<number> {
      const [row] = await reader.read(count, { cc });
      return Number(row?.[0] ?? 0);
    },

    async lastNumber(reader: Reader, cc: number, dialect: string): Promise<number | null> {
      const [row] = await reader.read(last, { cc, dialect });
      return row === undefined ? null : Number(row[0]);
    },
  };
}

export type KnownUsers = ReturnType<typeof createKnownUsers>;

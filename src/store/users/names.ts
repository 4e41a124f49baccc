import { LRUCache } from 'lru-cache';
import { type ContactCenter, historyOf } from '../../access/contact-center.ts';
import type { UserField } from '../../directory/query.ts';
import type { Named } from '../../directory/user.ts';
import type { Cell, Reader } from '../engine.ts';
import { int, ints, listValues, padded, type Statements } from '../statements.ts';
import { type Names, namedColumns } from './columns.ts';

/** Contact centers of which names are kept, and names of one of them. */
const MOST_CONTACT_CENTERS = 1000;
const MOST_NAMES = 10_000;
/** The longest list that one statement is given. */
const PART = 256;

type Table = 'roles' | 'teams';
type Book = Readonly<Record<Table, Map<number, Named>>>;

/** Gives the names of the roles and teams that rows of users speak of, each row with its number first. */
export type ReadNames<Of> = (
  reader: Reader,
  of: Of,
  rows: readonly (readonly Cell[])[],
  fields: readonly UserField[],
) => Promise<Names>;

const newBook = (): Book => ({ roles: new Map(), teams: new Map() });

/** Reads names anew each time: what a transaction has written so far may yet be dropped. */
export function createReadNames(statements: Statements): ReadNames<number> {
  return async (reader, cc, rows, fields) => fill(statements, newBook(), reader, cc, rows, fields);
}

/** Keeps the names that it read: of what was committed none is changed or taken away within one history. */
export function createKeptNames(statements: Statements): ReadNames<ContactCenter> {
  const books = new LRUCache<string, Book>({ max: MOST_CONTACT_CENTERS });
  return async (reader, contactCenter, rows, fields) => {
    const history = historyOf(contactCenter);
    let book = books.get(history);
    if (book === undefined || book.roles.size + book.teams.size > MOST_NAMES) {
      book = newBook();
      books.set(history, book);
    }
    return fill(statements, book, reader, contactCenter.id, rows, fields);
  };
}

async function fill(
  statements: Statements,
  book: Book,
  reader: Reader,
  cc: number,
  rows: readonly (readonly Cell[])[],
  fields: readonly UserField[],
): Promise<Names> {
  const { role, teams } = namedColumns(fields);
  if (role !== null) {
    const wanted = new Set<number>();
    for (const row of rows) {
      const number = Number(row[role]);
      if (!book.roles.has(number)) wanted.add(number);
    }
    await read(statements, book, 'roles', reader, cc, wanted);
  }
  if (teams.length > 0) {
    const wanted = new Set<number>();
    for (const row of rows) {
      for (const at of teams) {
        if (row[at] === '[]') continue;
        for (const number of JSON.parse(String(row[at]))) if (!book.teams.has(number)) wanted.add(number);
      }
    }
    await read(statements, book, 'teams', reader, cc, wanted);
  }
  return {
    role: (number) => find(book.roles, number),
    team: (number) => find(book.teams, number),
  };
}

async function read(
  statements: Statements,
  book: Book,
  table: Table,
  reader: Reader,
  cc: number,
  numbers: ReadonlySet<number>,
): Promise<void> {
  const wanted = [...numbers];
  for (let from = 0; from < wanted.length; from += PART) {
    const part = wanted.slice(from, from + PART);
    const size = padded(part.length);
    const statement = statements.get(`${table}.names`, String(size), (db) =>
      db
        .selectFrom(table)
        .select(['number', 'name'])
        .where('contact_center_id', '=', int('cc'))
        .where('number', 'in', ints('n', size)),
    );
    for (const [number, name] of await reader.read(statement, { cc, ...listValues('n', part, size) }))
      book[table].set(Number(number), { number: Number(number), name: String(name) });
  }
}

const find = (names: ReadonlyMap<number, Named>, number: number): Named =>
  names.get(number) ?? { number, name: String(number) };

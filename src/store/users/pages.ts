import { LRUCache } from 'lru-cache';
import { type ContactCenter, stateOf } from '../../access/contact-center.ts';
import { fold, isStorable } from '../../directory/fold.ts';
import type { UserPages } from '../../directory/ports.ts';
import type { Listed, Match, Page, PageQuery, UserField } from '../../directory/query.ts';
import { masksOf, TERM } from '../../directory/terms.ts';
import type { Cell, Engine } from '../engine.ts';
import { listValues, padded, type Statements } from '../statements.ts';
import { readListed } from './columns.ts';
import type { NumberCounts } from './counts.ts';
import { createFilterWalk } from './filtered.ts';
import type { KnownUsers } from './known.ts';
import type { ReadNames } from './names.ts';
import { createPageStatements } from './page-statements.ts';

/** Numbers that a text may stand for: its canonical decimal form only. */
function numbersIn(texts: readonly string[]): number[] {
  return texts.filter((text) => /^[1-9]\d{0,9}$/.test(text)).map(Number);
}

/** Pages of users in the store. */
export function createUserPages(
  engine: Engine,
  statements: Statements,
  counts: NumberCounts,
  known: KnownUsers,
  names: ReadNames<ContactCenter>,
): UserPages {
  const pageStatements = createPageStatements(statements);
  const filterWalk = createFilterWalk(engine, statements, pageStatements);
  // Totals are read again only when the directory was written since: pages share them.
  const totals = new LRUCache<string, number>({
    max: 10_000,
    maxSize: 8_000_000,
    sizeCalculation: (_, key) => key.length + 8,
  });

  async function countAnyOf(
    contactCenter: ContactCenter,
    dialect: string,
    texts: readonly string[],
  ): Promise<number> {
    const key = `${stateOf(contactCenter)} ${dialect} ${texts.join('\n')}`;
    let total = totals.get(key);
    if (total === undefined) {
      const { statement, values } = anyOf(dialect, texts, 'count', []);
      const [row] = await engine.read(statement, { cc: contactCenter.id, ...values });
      total = Number(row?.[0] ?? 0);
      totals.set(key, total);
    }
    return total;
  }

  function anyOf(
    dialect: string,
    texts: readonly string[],
    shape: 'page' | 'count',
    fields: readonly UserField[],
  ) {
    const numbers = numbersIn(texts);
    const size = padded(texts.length);
    const numberSize = numbers.length === 0 ? 0 : padded(numbers.length);
    const statement = pageStatements.anyOf(shape, fields, size, numberSize);
    const values = {
      dialect,
      ...listValues('term', texts.map(TERM.named), size),
      ...listValues('email', texts, size),
      ...listValues('number', numbers, numberSize),
    };
    return { statement, values };
  }

  /**
   * A search for one text, which is nearly always an email or a name and not both: each of these is found
   * for less than their union. Null where it is both.
   */
  async function oneText(
    cc: number,
    dialect: string,
    only: string,
    fields: readonly UserField[],
    offset: number,
    wanted: number,
  ): Promise<Cell[][] | null> {
    const term = TERM.named(only);
    const [row] = await engine.read(pageStatements.byEmail(fields), { cc, dialect, email: only, term });
    if (row !== undefined) {
      if (Number(row.at(-1)) === 1) return null;
      return offset === 0 ? [row] : [];
    }
    return engine.read(pageStatements.byTerm(fields), { cc, dialect, term, offset, limit: wanted });
  }

  /** Which flag masks anybody has, as bits: a page asks for no others. */
  async function masksPresent(contactCenter: ContactCenter, dialect: string): Promise<number> {
    const key = `${stateOf(contactCenter)} ${dialect} masks`;
    let present = totals.get(key);
    if (present === undefined) {
      present = 0;
      for (const mask of masksOf({})) {
        const values = { cc: contactCenter.id, dialect, term: TERM.flags(mask) };
        const rows = await engine.read(pageStatements.hasTerm, values);
        if (rows.length > 0) present |= 1 << mask;
      }
      totals.set(key, present);
    }
    return present;
  }

  async function rowsOf(
    contactCenter: ContactCenter,
    query: PageQuery<UserField>,
    wanted: number,
  ): Promise<Cell[][]> {
    const cc = contactCenter.id;
    const { dialect, match, fields, after = 0, offset = 0 } = query;
    switch (match.kind) {
      case 'everyone': {
        if (offset === 0) {
          return engine.read(pageStatements.everyone(fields), { cc, dialect, after, limit: wanted });
        }
        const first = await counts.numberAt(engine, contactCenter, dialect, offset);
        if (first === null) return [];
        return engine.read(pageStatements.everyone(fields), { cc, dialect, after: first - 1, limit: wanted });
      }
      case 'any-of': {
        const texts = searchable(match);
        if (texts.length === 0) return [];
        const [only] = texts;
        if (texts.length === 1 && only !== undefined && numbersIn(texts).length === 0) {
          const rows = await oneText(cc, dialect, only, fields, offset, wanted);
          if (rows !== null) return rows;
        }
        const { statement, values } = anyOf(dialect, texts, 'page', fields);
        return engine.read(statement, { cc, ...values, limit: wanted, offset });
      }
      case 'flagged': {
        const present = await masksPresent(contactCenter, dialect);
        const terms = masksOf(match.flags)
          .filter((mask) => ((present >>> mask) & 1) === 1)
          .map(TERM.flags);
        if (terms.length === 0) return [];
        const statement = pageStatements.flagged(fields, terms.length);
        return engine.read(statement, {
          cc,
          dialect,
          after,
          limit: wanted,
          ...listValues('term', terms, terms.length),
        });
      }
      case 'numbered': {
        const size = padded(match.numbers.length);
        const values = listValues('number', match.numbers, size);
        return engine.read(pageStatements.numbered(fields, size), { cc, dialect, ...values });
      }
      case 'filtered':
        return filterWalk(cc, dialect, match, fields, after, offset, wanted);
    }
  }

  async function totalOf(
    contactCenter: ContactCenter,
    query: PageQuery<UserField>,
    read: number,
  ): Promise<number> {
    // A page that was not filled shows the end of the matches, and so their number.
    const { offset = 0, limit } = query;
    if (read <= limit && (read > 0 || offset === 0)) return offset + read;
    if (query.match.kind === 'everyone') return counts.total(engine, contactCenter.id, query.dialect);
    if (query.match.kind === 'any-of') {
      const texts = searchable(query.match);
      return texts.length === 0 ? 0 : countAnyOf(contactCenter, query.dialect, texts);
    }
    throw new Error(`no wire shows a total of ${query.match.kind} users`);
  }

  return {
    async page<F extends UserField>(contactCenter: ContactCenter, query: PageQuery<F>): Promise<Page<F>> {
      const rows = await rowsOf(contactCenter, query, query.limit + 1);
      const total = query.count === 'exact' ? await totalOf(contactCenter, query, rows.length) : null;
      const shown = rows.length > query.limit ? rows.slice(0, query.limit) : rows;
      const named = await names(engine, contactCenter, shown, query.fields);
      const users: Listed<F>[] = readListed(shown, query.fields, named);
      return { users, hasMore: rows.length > query.limit, total };
    },

    pageByNumber: (contactCenter, after, limit) => known.pageByNumber(engine, contactCenter.id, after, limit),

    async findNumber(contactCenter, text) {
      return isStorable(text) ? known.findNumber(engine, contactCenter.id, fold(text)) : null;
    },

    count: (contactCenter) => known.count(engine, contactCenter.id),

    lastNumber: (contactCenter, dialect) => known.lastNumber(engine, contactCenter.id, dialect),
  };
}

/** The texts of a search, folded, once each; what nobody can have is left out. */
function searchable(match: Extract<Match, { kind: 'any-of' }>): string[] {
  return [...new Set(match.texts.filter(isStorable).map(fold))];
}

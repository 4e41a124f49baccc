import type { UserReading } from '../../directory/ports.ts';
import type { Named } from '../../directory/user.ts';
import type { Reader } from '../engine.ts';
import { int, ints, listValues, padded, type Statements, text } from '../statements.ts';
import type { KnownUsers } from './known.ts';

/** The longest list that one statement is given. */
const PART = 512;

/** What a load reads of a contact center, in a transaction or out of one. */
export type OpenReading = (reader: Reader, cc: number) => UserReading;

export function createUserReading(statements: Statements, known: KnownUsers): OpenReading {
  const namesOf = (table: 'roles' | 'teams') =>
    statements.get(`${table}.list`, '', (db) =>
      db
        .selectFrom(table)
        .select(['number', 'name'])
        .where('contact_center_id', '=', int('cc'))
        .orderBy('number'),
    );
  const roles = namesOf('roles');
  const teams = namesOf('teams');
  const state = statements.get('contact_centers.state', '', (db) =>
    db
      .selectFrom('contact_centers')
      .select(['revision', 'next_number'])
      .where('contact_center_id', '=', int('cc')),
  );
  const highest = statements.get('dialect_counters.list', '', (db) =>
    db
      .selectFrom('dialect_counters')
      .select(['dialect', 'highest'])
      .where('contact_center_id', '=', int('cc')),
  );
  const taken = (table: 'dialect_numbers' | 'retired_numbers', size: number) =>
    statements.get(`${table}.taken`, String(size), (db) =>
      db
        .selectFrom(table)
        .select('number')
        .where('contact_center_id', '=', int('cc'))
        .where('dialect', '=', text('dialect'))
        .where('number', 'in', ints('k', size)),
    );

  async function list(reader: Reader, statement: typeof roles, cc: number): Promise<Named[]> {
    return (await reader.read(statement, { cc })).map(([number, name]) => ({
      number: Number(number),
      name: String(name),
    }));
  }

  return (reader, cc) => ({
    findKnown: (keys) => known.find(reader, cc, keys),

    async takenNumbers(dialect, numbers) {
      const found = new Set<number>();
      const wanted = [...numbers];
      for (let from = 0; from < wanted.length; from += PART) {
        const part = wanted.slice(from, from + PART);
        const size = padded(part.length);
        const values = { cc, dialect, ...listValues('k', part, size) };
        for (const table of ['dialect_numbers', 'retired_numbers'] as const) {
          for (const [number] of await reader.read(taken(table, size), values)) found.add(Number(number));
        }
      }
      return found;
    },

    async numberState() {
      const [row] = await reader.read(state, { cc });
      const counters = await reader.read(highest, { cc });
      return {
        revision: Number(row?.[0] ?? 0),
        nextNumber: Number(row?.[1] ?? 1),
        highest: new Map(counters.map(([dialect, value]) => [String(dialect), Number(value)])),
      };
    },

    roles: () => list(reader, roles, cc),
    teams: () => list(reader, teams, cc),
  });
}

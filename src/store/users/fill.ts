import { MAX_COUNTED } from '../../directory/patch.ts';
import type { DialectIndex } from '../../directory/query.ts';
import { termsOf } from '../../directory/terms.ts';
import type { Cell, Engine } from '../engine.ts';
import { int, ints, listValues, padded, type Statements, text } from '../statements.ts';
import type { NumberCounts } from './counts.ts';
import { createUserInserts, TermRuns } from './inserts.ts';
import type { KnownUsers } from './known.ts';

const CHUNK = 500;

/**
 * Gives every user a number and the search terms of each dialect that the store has not met, or that now
 * searches differently. Safe to break off: a dialect is noted as filled last, and no longer noted before
 * anything of it changes. One that is not given is no longer noted either: users who come or change while
 * it is away are not filed under it, and it is filled anew when it is back.
 */
export async function fillDialects(
  engine: Engine,
  statements: Statements,
  counts: NumberCounts,
  known: KnownUsers,
  dialects: readonly DialectIndex[],
): Promise<void> {
  const list = statements.get('dialects.list', '', (db) =>
    db.selectFrom('dialects').select(['name', 'searches']),
  );
  const note = statements.get('dialects.set', '', (db) =>
    db
      .insertInto('dialects')
      .values({ name: text('name'), searches: text('searches') })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ searches: text('searches') })),
  );
  const forget = statements.get('dialects.delete', '', (db) =>
    db.deleteFrom('dialects').where('name', '=', text('name')),
  );
  const contactCenters = statements.get('contact_centers.ids', '', (db) =>
    db.selectFrom('contact_centers').select('contact_center_id').orderBy('contact_center_id'),
  );
  const clear = statements.get('user_terms.clear', '', (db) =>
    db
      .deleteFrom('user_terms')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect')),
  );
  const inserts = createUserInserts(statements);
  const setHighest = statements.get('dialect_counters.fill', '', (db) =>
    db
      .insertInto('dialect_counters')
      .values({ contact_center_id: int('cc'), dialect: text('dialect'), highest: int('highest') })
      .onConflict((conflict) =>
        conflict.columns(['contact_center_id', 'dialect']).doUpdateSet({ highest: int('highest') }),
      ),
  );
  const greatest = statements.get('dialect_counters.greatest', '', (db) =>
    db
      .selectFrom('dialect_counters')
      .select('highest')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect')),
  );
  const takenStatement = (table: 'dialect_numbers' | 'retired_numbers', size: number) =>
    statements.get(`${table}.filled`, String(size), (db) =>
      db
        .selectFrom(table)
        .select('number')
        .where('contact_center_id', '=', int('cc'))
        .where('dialect', '=', text('dialect'))
        .where('number', 'in', ints('k', size)),
    );

  const met = new Map(
    (await engine.read(list, {})).map(([name, searches]) => [String(name), String(searches)]),
  );
  const toForget = [...met]
    .filter(
      ([name, searches]) => dialects.find((each) => each.name === name)?.searches.join(',') !== searches,
    )
    .map(([name]) => ({ name }));
  if (toForget.length > 0)
    await engine.transaction([], (transaction) => transaction.runEach(forget, toForget));
  for (const index of dialects) {
    const dialect = index.name;
    const searches = index.searches.join(',');
    if (met.get(dialect) === searches) continue;
    for (const [id] of await engine.read(contactCenters, {})) {
      const cc = Number(id);
      await engine.transaction([cc], (transaction) => transaction.run(clear, { cc, dialect }));
      for (let after = 0, isLast = false; !isLast; ) {
        const filled = await engine.transaction([cc], async (transaction) => {
          const users = await known.pageByNumber(transaction, cc, after, CHUNK);
          const own = users.map((user) => user.number);
          const size = padded(own.length);
          const taken = new Set<number>();
          for (const table of ['dialect_numbers', 'retired_numbers'] as const) {
            const rows = await transaction.read(takenStatement(table, size), {
              cc,
              dialect,
              ...listValues('k', own, size),
            });
            for (const [number] of rows) taken.add(Number(number));
          }
          // Not the greatest that somebody has: what was given up is not taken again.
          const [counter] = await transaction.read(greatest, { cc, dialect });
          let highest = Number(counter?.[0] ?? 0);
          const numbers: Cell[] = [];
          const runs = new TermRuns();
          const counted: number[] = [];
          for (const user of users) {
            let number = user.dialectNumbers[dialect];
            if (number === undefined) {
              number = taken.has(user.number) ? highest + 1 : user.number;
              taken.add(number);
              numbers.push(number, user.number, 0, user.version);
              counted.push(number);
            }
            if (number <= MAX_COUNTED) highest = Math.max(highest, number);
            for (const term of termsOf(user, index)) runs.add(term, number);
          }
          await inserts.numbers(transaction, cc, dialect, numbers);
          await inserts.terms(transaction, cc, dialect, runs);
          await counts.add(transaction, cc, dialect, counted, []);
          if (users.length > 0) await transaction.run(setHighest, { cc, dialect, highest });
          return users;
        });
        isLast = filled.length < CHUNK;
        after = filled.at(-1)?.number ?? after;
      }
    }
    await engine.transaction([], (transaction) => transaction.run(note, { name: dialect, searches }));
  }
}

import { sql } from 'kysely';
import type { ContactCenter } from '../../access/contact-center.ts';
import { fold } from '../../directory/fold.ts';
import type { NumberState, UserChange, UserWriter, UserWriting } from '../../directory/ports.ts';
import type { DialectIndex } from '../../directory/query.ts';
import { termsOf } from '../../directory/terms.ts';
import type { Named } from '../../directory/user.ts';
import type { Cell, Engine, Transaction, Values } from '../engine.ts';
import { cell, int, ints, listValues, padded, type Statements, text } from '../statements.ts';
import type { NumberCounts } from './counts.ts';
import { createUserInserts, TermRuns } from './inserts.ts';
import type { KnownUsers } from './known.ts';
import { flag, keyOf, toValues, USER_COLUMNS } from './row.ts';

/** Extensions that one side of the changes has and the other has not. */
function extensionsOf(
  changes: readonly UserChange[],
  of: 'before' | 'after',
  not: 'before' | 'after',
): { extension: string; user: number }[] {
  return changes.flatMap((change) =>
    (change[of]?.user.extensions ?? [])
      .filter((extension) => !change[not]?.user.extensions.includes(extension))
      .map((extension) => ({ extension, user: change.after.user.number })),
  );
}

/** Writers of users in the store. `dialects` are those that every user gets a number and terms in. */
export function createUserWriter(
  engine: Engine,
  statements: Statements,
  counts: NumberCounts,
  known: KnownUsers,
  dialects: readonly DialectIndex[],
): UserWriter {
  const placeholders = Object.fromEntries(USER_COLUMNS.map(([column]) => [column, cell(column)]));
  const inserts = createUserInserts(statements);
  // A number that is set, though to itself, has SQLite look for rows that refer to the user: all over the contact center.
  const { number: _, ...changing } = placeholders;
  const updateUser = statements.get('users.update', '', (db) =>
    db
      .updateTable('users')
      .set(changing)
      .where('contact_center_id', '=', int('contact_center_id'))
      .where('number', '=', int('number')),
  );
  const dropExtension = statements.get('user_extensions.delete', '', (db) =>
    db
      .deleteFrom('user_extensions')
      .where('contact_center_id', '=', int('cc'))
      .where('extension', '=', text('extension')),
  );
  const updateNumber = statements.get('dialect_numbers.update', '', (db) =>
    db
      .updateTable('dialect_numbers')
      .set({ given: int('given'), version: int('version') })
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('number', '=', int('number')),
  );
  const dropNumber = statements.get('dialect_numbers.delete', '', (db) =>
    db
      .deleteFrom('dialect_numbers')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('number', '=', int('number')),
  );
  const retireNumber = statements.get('retired_numbers.insert', '', (db) =>
    db
      .insertInto('retired_numbers')
      .values({ contact_center_id: int('cc'), dialect: text('dialect'), number: int('number') })
      .onConflict((conflict) => conflict.doNothing()),
  );
  const dropTerm = statements.get('user_terms.delete', '', (db) =>
    db
      .deleteFrom('user_terms')
      .where('contact_center_id', '=', int('cc'))
      .where('dialect', '=', text('dialect'))
      .where('term', '=', text('term'))
      .where('number', '=', int('number')),
  );
  const dictionary = (table: 'roles' | 'teams') => ({
    list: statements.get(`${table}.list`, '', (db) =>
      db
        .selectFrom(table)
        .select(['number', 'name'])
        .where('contact_center_id', '=', int('cc'))
        .orderBy('number'),
    ),
    insert: statements.get(`${table}.insert`, '', (db) =>
      db.insertInto(table).values({
        contact_center_id: int('cc'),
        number: int('number'),
        name: text('name'),
        name_key: text('key'),
      }),
    ),
  });
  const roles = dictionary('roles');
  const teams = dictionary('teams');
  const nextNumber = statements.get('contact_centers.next_number', '', (db) =>
    db.selectFrom('contact_centers').select('next_number').where('contact_center_id', '=', int('cc')),
  );
  const advance = statements.get('contact_centers.advance', '', (db) =>
    db
      .updateTable('contact_centers')
      .set((each) => ({ next_number: int('next'), revision: each('revision', '+', 1) }))
      .where('contact_center_id', '=', int('cc')),
  );
  const highest = statements.get('dialect_counters.list', '', (db) =>
    db
      .selectFrom('dialect_counters')
      .select(['dialect', 'highest'])
      .where('contact_center_id', '=', int('cc')),
  );
  const setHighest = statements.get('dialect_counters.set', '', (db) =>
    db
      .insertInto('dialect_counters')
      .values({ contact_center_id: int('cc'), dialect: text('dialect'), highest: int('highest') })
      .onConflict((conflict) =>
        conflict
          .columns(['contact_center_id', 'dialect'])
          .doUpdateSet({ highest: sql<number>`excluded.highest` }),
      ),
  );
  const countImport = statements.get('import_counts.add', '', (db) =>
    db
      .insertInto('import_counts')
      .values({ contact_center_id: int('cc'), outcome: text('outcome'), count: int('count') })
      .onConflict((conflict) =>
        conflict
          .columns(['contact_center_id', 'outcome'])
          .doUpdateSet({ count: sql<number>`import_counts.count + excluded.count` }),
      ),
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

  async function list(transaction: Transaction, statement: typeof roles.list, cc: number): Promise<Named[]> {
    return (await transaction.read(statement, { cc })).map(([number, name]) => ({
      number: Number(number),
      name: String(name),
    }));
  }

  async function writeUsers(
    transaction: Transaction,
    cc: number,
    changes: readonly UserChange[],
  ): Promise<void> {
    const made = changes.filter((change) => change.before === null);
    const changed = changes.filter((change) => change.before !== null);
    // What was let go comes first, so that one user may take in this batch what another gives up.
    await transaction.runEach(
      dropExtension,
      extensionsOf(changed, 'before', 'after').map(({ extension }) => ({ cc, extension })),
    );
    await releaseUniques(transaction, cc, changed);
    await inserts.users(
      transaction,
      cc,
      made.map((change) => change.after.user),
    );
    await transaction.runEach(
      updateUser,
      changed.map((change) => toValues(cc, change.after.user)),
    );
    await inserts.extensions(
      transaction,
      cc,
      extensionsOf(changes, 'after', 'before').flatMap(({ extension, user }) => [extension, user]),
    );
  }

  /** Emails and login ids may change hands within a batch: they are put out of the way before they are set. */
  async function releaseUniques(
    transaction: Transaction,
    cc: number,
    changed: readonly UserChange[],
  ): Promise<void> {
    const moved = changed.filter(
      ({ before, after }) =>
        keyOf(before?.user.email ?? null) !== keyOf(after.user.email) ||
        fold(before?.user.loginId ?? '') !== fold(after.user.loginId),
    );
    await transaction.runEach(
      updateUser,
      moved.map(({ before, after }) => ({
        ...toValues(cc, before?.user ?? after.user),
        email_key: null,
        login_id_key: null,
      })),
    );
  }

  async function writeNumbers(
    transaction: Transaction,
    cc: number,
    index: DialectIndex,
    changes: readonly UserChange[],
  ): Promise<void> {
    const dialect = index.name;
    const dropped: Values[] = [];
    const retired: Values[] = [];
    const added: Cell[] = [];
    const updated: Values[] = [];
    const droppedTerms: Values[] = [];
    const addedTerms = new TermRuns();
    const counted: { number: number; by: number }[] = [];
    const nowTaken = new Set(changes.map((change) => change.after.user.dialectNumbers[dialect]));
    for (const { before, after } of changes) {
      const number = after.user.dialectNumbers[dialect];
      if (number === undefined) throw new Error(`user ${after.user.number} has no number in ${dialect}`);
      const given = flag(after.given.has(dialect));
      const oldNumber = before?.user.dialectNumbers[dialect];
      const moved = oldNumber !== number;
      if (moved) {
        added.push(number, after.user.number, given, after.user.version);
        counted.push({ number, by: 1 });
        if (oldNumber !== undefined) {
          dropped.push({ cc, dialect, number: oldNumber });
          counted.push({ number: oldNumber, by: -1 });
          if (!nowTaken.has(oldNumber)) retired.push({ cc, dialect, number: oldNumber });
        }
      } else {
        updated.push({ cc, dialect, number, given, version: after.user.version });
      }
      const terms = termsOf(after.user, index);
      const oldTerms = before === null || oldNumber === undefined ? [] : termsOf(before.user, index);
      for (const term of oldTerms) {
        if (moved || !terms.includes(term)) droppedTerms.push({ cc, dialect, term, number: oldNumber ?? 0 });
      }
      for (const term of terms) {
        if (moved || !oldTerms.includes(term)) addedTerms.add(term, number);
      }
    }
    await transaction.runEach(dropNumber, dropped);
    await transaction.runEach(retireNumber, retired);
    await inserts.numbers(transaction, cc, dialect, added);
    await transaction.runEach(updateNumber, updated);
    await transaction.runEach(dropTerm, droppedTerms);
    await inserts.terms(transaction, cc, dialect, addedTerms);
    await counts.add(transaction, cc, dialect, counted);
  }

  function writing(transaction: Transaction, cc: number): UserWriting {
    return {
      findKnown: (keys) => known.find(transaction, cc, keys),

      async takenNumbers(dialect, numbers) {
        const found = new Set<number>();
        const wanted = [...numbers];
        for (let from = 0; from < wanted.length; from += 512) {
          const part = wanted.slice(from, from + 512);
          const size = padded(part.length);
          for (const table of ['dialect_numbers', 'retired_numbers'] as const) {
            const rows = await transaction.read(taken(table, size), {
              cc,
              dialect,
              ...listValues('k', part, size),
            });
            for (const [number] of rows) found.add(Number(number));
          }
        }
        return found;
      },

      async numberState() {
        const [row] = await transaction.read(nextNumber, { cc });
        const counters = await transaction.read(highest, { cc });
        return {
          nextNumber: Number(row?.[0] ?? 1),
          highest: new Map(counters.map(([dialect, value]) => [String(dialect), Number(value)])),
        };
      },

      roles: () => list(transaction, roles.list, cc),
      teams: () => list(transaction, teams.list, cc),
      addRoles: (all) =>
        transaction.runEach(
          roles.insert,
          all.map((each) => ({ cc, ...each, key: fold(each.name) })),
        ),
      addTeams: (all) =>
        transaction.runEach(
          teams.insert,
          all.map((each) => ({ cc, ...each, key: fold(each.name) })),
        ),

      async write(changes: readonly UserChange[], state: NumberState) {
        await writeUsers(transaction, cc, changes);
        for (const index of dialects) await writeNumbers(transaction, cc, index, changes);
        await transaction.runEach(
          setHighest,
          [...state.highest].map(([dialect, value]) => ({ cc, dialect, highest: value })),
        );
        await transaction.run(advance, { cc, next: state.nextNumber });
      },

      async countImported(outcomes) {
        const rows = Object.entries(outcomes).filter(([, count]) => count > 0);
        await transaction.runEach(
          countImport,
          rows.map(([outcome, count]) => ({ cc, outcome, count })),
        );
      },
    };
  }

  return {
    write: <T>(contactCenter: ContactCenter, work: (writing: UserWriting) => Promise<T>) =>
      engine.transaction((transaction) => work(writing(transaction, contactCenter.id))),
  };
}

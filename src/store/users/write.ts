import { sql } from 'kysely';
import type { ContactCenter } from '../../access/contact-center.ts';
import { fold } from '../../directory/fold.ts';
import {
  type NumberState,
  Overtaken,
  type UserChange,
  type UserWriter,
  type UserWriting,
} from '../../directory/ports.ts';
import type { DialectIndex } from '../../directory/query.ts';
import { termsOf } from '../../directory/terms.ts';
import type { Named } from '../../directory/user.ts';
import { type Cell, type Engine, NoRowChanged, type Transaction, type Values } from '../engine.ts';
import { cell, int, type Statements, text } from '../statements.ts';
import type { NumberCounts } from './counts.ts';
import { createUserInserts, TermRuns } from './inserts.ts';
import type { OpenReading } from './reading.ts';
import { flag, keyOf, toValues, USER_COLUMNS } from './row.ts';

/** Extensions that one side of the changes has and the other has not. */
function extensionsOf(
  changes: readonly UserChange[],
  of: 'before' | 'after',
  not: 'before' | 'after',
): { extension: string; user: number }[] {
  const found: { extension: string; user: number }[] = [];
  for (const change of changes) {
    for (const extension of change[of]?.user.extensions ?? []) {
      if (change[not]?.user.extensions.includes(extension) === true) continue;
      found.push({ extension, user: change.after.user.number });
    }
  }
  return found;
}

const toNamedRow = (cc: number) => (each: Named) => ({ cc, ...each, key: fold(each.name) });

/** Writers of users in the store. */
export function createUserWriter({
  engine,
  transactions,
  statements,
  counts,
  reading,
  dialects,
}: {
  readonly engine: Engine;
  /** Where to write: the engine itself, or a thread of its own. */
  readonly transactions: Pick<Engine, 'transaction'>;
  readonly statements: Statements;
  readonly counts: NumberCounts;
  readonly reading: OpenReading;
  /** Those that every user gets a number and terms in. */
  readonly dialects: readonly DialectIndex[];
}): UserWriter {
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
  const newName = (table: 'roles' | 'teams') =>
    statements.get(`${table}.insert`, '', (db) =>
      db.insertInto(table).values({
        contact_center_id: int('cc'),
        number: int('number'),
        name: text('name'),
        name_key: text('key'),
      }),
    );
  const newRole = newName('roles');
  const newTeam = newName('teams');
  const hold = statements.get('contact_centers.hold', '', (db) =>
    db
      .updateTable('contact_centers')
      .set((each) => ({ revision: each.ref('revision') }))
      .where('contact_center_id', '=', int('cc'))
      .where('revision', '=', int('revision')),
  );
  const advance = statements.get('contact_centers.advance', '', (db) =>
    db
      .updateTable('contact_centers')
      .set((each) => ({ next_number: int('next'), revision: each('revision', '+', 1) }))
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
    const added: Cell[] = [];
    const updated: Values[] = [];
    const droppedTerms: Values[] = [];
    const addedTerms = new TermRuns();
    const nowTaken = new Set<number>();
    const letGo: number[] = [];
    for (const { before, after } of changes) {
      const number = after.user.dialectNumbers[dialect];
      if (number === undefined) throw new Error(`user ${after.user.number} has no number in ${dialect}`);
      const given = flag(after.given.has(dialect));
      const oldNumber = before?.user.dialectNumbers[dialect];
      const moved = oldNumber !== number;
      if (moved) {
        added.push(number, after.user.number, given, after.user.version);
        nowTaken.add(number);
        if (oldNumber !== undefined) letGo.push(oldNumber);
      } else {
        updated.push({ cc, dialect, number, given, version: after.user.version });
      }
      const terms = termsOf(after.user, index);
      if (before === null || oldNumber === undefined) {
        for (const term of terms) addedTerms.add(term, number);
        continue;
      }
      const oldTerms = termsOf(before.user, index);
      for (const term of oldTerms) {
        if (moved || !terms.includes(term)) droppedTerms.push({ cc, dialect, term, number: oldNumber });
      }
      for (const term of terms) {
        if (moved || !oldTerms.includes(term)) addedTerms.add(term, number);
      }
    }
    await transaction.runEach(
      dropNumber,
      letGo.map((number) => ({ cc, dialect, number })),
    );
    await transaction.runEach(
      retireNumber,
      letGo.filter((number) => !nowTaken.has(number)).map((number) => ({ cc, dialect, number })),
    );
    await inserts.numbers(transaction, cc, dialect, added);
    await transaction.runEach(updateNumber, updated);
    await transaction.runEach(dropTerm, droppedTerms);
    await inserts.terms(transaction, cc, dialect, addedTerms);
    await counts.add(transaction, cc, dialect, nowTaken, letGo);
  }

  function writing(transaction: Transaction, cc: number): UserWriting {
    return {
      ...reading(transaction, cc),
      expect: (revision) => transaction.runOne(hold, { cc, revision }),
      addRoles: (all) => transaction.runEach(newRole, all.map(toNamedRow(cc))),
      addTeams: (all) => transaction.runEach(newTeam, all.map(toNamedRow(cc))),

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
    reading: ({ id }) => reading(engine, id),
    async write<T>({ id }: ContactCenter, work: (writing: UserWriting) => Promise<T>) {
      try {
        return await transactions.transaction([id], (transaction) => work(writing(transaction, id)));
      } catch (error) {
        throw error instanceof NoRowChanged ? new Overtaken() : error;
      }
    },
  };
}

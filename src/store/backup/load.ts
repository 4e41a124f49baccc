import { Failure } from '../../errors.ts';
import type { Engine, Transaction } from '../engine.ts';
import { renewEpochs } from '../epochs.ts';
import { epochs } from '../migrations/0004-epochs.ts';
import { MIGRATIONS } from '../migrations/index.ts';
import { inBatches } from '../moving/batches.ts';
import { sumTables } from '../moving/copy.ts';
import type { Loading, Snapshot } from '../moving/ports.ts';
import { type Table, type TableName, TableSum, type TableTotal } from '../moving/tables.ts';
import type { BackupFacts } from './file.ts';
import type { OnRows, RowSource } from './portable.ts';

/** The migrations that a store has had. @throws Failure precondition where one is unknown here, or there are none */
export function knownMigrations(names: readonly string[], what: 'store' | 'backup'): typeof MIGRATIONS {
  if (names.length === 0) {
    throw new Failure('precondition', `there is nothing in this ${what}; nothing was done`);
  }
  if (names.some((name, at) => MIGRATIONS[at]?.name !== name)) {
    throw new Failure(
      'precondition',
      `this ${what} was written by a newer Rollcall; use that version for it`,
    );
  }
  return MIGRATIONS.slice(0, names.length);
}

/** What migrations run on, where all of them and what follows are to be one transaction. */
export function asEngine(loading: Loading): Engine {
  const refuse = () => Promise.reject(new Error('a restore does not ask for this'));
  return {
    read: (statement, values) => loading.read(statement, values),
    isParallel: false,
    mark: () => null,
    era: () => 0,
    transaction: (_, work) => work({ ...loading, runEach: refuse, insert: refuse }),
    close: async () => {},
  };
}

/** Has what running servers keep hold no more, where the backup is of a version that has what it goes by. */
export async function renewEpochsOf(
  { migrations }: Pick<BackupFacts, 'migrations'>,
  transaction: Pick<Transaction, 'run'>,
): Promise<void> {
  if (migrations.includes(epochs.name)) await renewEpochs(transaction);
}

/** Loads every row of a backup into tables that are empty. @throws Failure invalid where they have another shape */
export async function loadRows(
  source: RowSource,
  tables: readonly Table[],
  load: (work: (loading: Loading) => Promise<void>) => Promise<void>,
  onRows: OnRows,
): Promise<Map<TableName, TableTotal>> {
  // Names of columns go into statements: they are those of the tables that were made, not what a file says.
  if (JSON.stringify(await source.tables()) !== JSON.stringify(tables)) {
    throw new Failure('invalid', 'this backup has other tables than its version; take another one');
  }
  const totals = new Map<TableName, TableTotal>();
  for (const table of tables) {
    const sum = new TableSum(table);
    for await (const { rows, lines } of inBatches(source.rows(table))) {
      sum.add(rows.length, lines);
      await load((loading) => loading.append(table, rows));
      onRows(rows.length, table.name);
    }
    totals.set(table.name, sum.total());
  }
  return totals;
}

/** Reads what was loaded, and compares it. @throws Failure unavailable */
export async function checkRows(
  written: Snapshot,
  tables: readonly Table[],
  totals: ReadonlyMap<TableName, TableTotal>,
  onRows: OnRows,
): Promise<void> {
  const onRead = (rows: number, name: TableName) => onRows(rows, `checking ${name}`);
  for await (const { table, total } of sumTables(written, tables, onRead)) {
    const wanted = totals.get(table.name);
    if (total.rows === wanted?.rows && total.sha256 === wanted.sha256) continue;
    throw new Failure(
      'unavailable',
      `the table ${table.name} is not as it was written; nothing was restored`,
    );
  }
}

import { existsSync } from 'node:fs';
import { Failure } from '../../errors.ts';
import type { StorePlace } from '../open.ts';
import { openEngine, storePath } from '../open.ts';
import { inBatches } from './batches.ts';
import { openSnapshot, openTarget } from './places.ts';
import type { Snapshot, Target } from './ports.ts';
import { type Table, type TableName, TableSum, type TableTotal, toLines } from './tables.ts';
import { CopyNotes, identify, readSourceApplied, readTargetState, type TargetState } from './unfinished.ts';

/** Told now and then of how far it is. Every row counts twice: it is written, and read again. */
export type OnMoved = (done: number, total: number, doing: string) => void;

export interface CopyReport {
  /** What was there of an earlier copy, and is the same still, in rows. */
  readonly kept: number;
  /** Whether the source had changed since the copy was broken off, so that it was begun anew. */
  readonly begunAnew: boolean;
  readonly tables: readonly (TableTotal & { readonly name: TableName })[];
}

/** Counts the rows of each table. */
export async function countRows(
  snapshot: Snapshot,
  tables: readonly Table[],
): Promise<Map<TableName, number>> {
  const counts = new Map<TableName, number>();
  for (const { name } of tables) {
    const sql = `select count(*) from ${name}`;
    const [row] = await snapshot.read({ name: 'moving.count', sql, parameters: [] }, {});
    counts.set(name, Number(row?.[0]));
  }
  return counts;
}

/** What a copy would do: the rows of each table, and what the target is. Changes nothing. @throws Failure */
export async function planCopy(
  from: StorePlace,
  to: StorePlace,
): Promise<{ readonly rows: ReadonlyMap<TableName, number>; readonly target: TargetState }> {
  const source = await openSnapshot(from);
  try {
    const identity = identify(await readSourceApplied(source));
    const rows = await countRows(source, await source.tables());
    if (to.databaseUrl === undefined && !existsSync(storePath(to.data))) return { rows, target: 'empty' };
    const { engine } = await openEngine({ ...to, cacheMiB: 8 });
    try {
      return { rows, target: await readTargetState(engine, identity) };
    } finally {
      await engine.close();
    }
  } finally {
    await source.close();
  }
}

/**
 * Copies every table of one store into an empty one, as the source is when the copy starts, and compares what
 * was written with it. One that was broken off goes on where it stopped, if what was copied is as it was.
 * @throws Failure; the target is then refused as unfinished by every other command
 */
export async function copyStore(
  from: StorePlace,
  to: StorePlace,
  now: () => number,
  onMoved: OnMoved,
): Promise<CopyReport> {
  const source = await openSnapshot(from);
  try {
    const identity = identify(await readSourceApplied(source));
    const target = await openTarget(to, now);
    try {
      const notes = new CopyNotes(target);
      if ((await readTargetState(target.engine, identity)) === 'empty') {
        await target.prepare(() => notes.begin(identity, now()));
      }
      return await new Copying(source, target, notes, onMoved).run();
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** What was copied earlier is no longer what the source has. */
class SourceChanged extends Error {}

class Copying {
  readonly #source: Snapshot;
  readonly #target: Target;
  readonly #notes: CopyNotes;
  readonly #onMoved: OnMoved;
  #total = 0;
  #done = 0;
  #kept = 0;

  constructor(source: Snapshot, target: Target, notes: CopyNotes, onMoved: OnMoved) {
    this.#source = source;
    this.#target = target;
    this.#notes = notes;
    this.#onMoved = onMoved;
  }

  async run(): Promise<CopyReport> {
    const tables = await this.#source.tables();
    const rows = await countRows(this.#source, tables);
    this.#total = 2 * [...rows.values()].reduce((sum, each) => sum + each, 0);
    let begunAnew = false;
    let totals: Map<TableName, TableTotal>;
    try {
      totals = await this.#copyAll(tables);
    } catch (error) {
      if (!(error instanceof SourceChanged)) throw error;
      begunAnew = true;
      [this.#done, this.#kept] = [0, 0];
      await this.#notes.restart();
      totals = await this.#copyAll(tables);
    }
    await this.#check(tables, totals);
    await this.#notes.finish();
    return { kept: this.#kept, begunAnew, tables: [...totals].map(([name, total]) => ({ name, ...total })) };
  }

  async #copyAll(tables: readonly Table[]): Promise<Map<TableName, TableTotal>> {
    const there = await this.#notes.read();
    const totals = new Map<TableName, TableTotal>();
    for (const table of tables) {
      totals.set(table.name, await this.#copyTable(table, there.get(table.name) ?? { rows: 0, sha256: '' }));
    }
    return totals;
  }

  async #copyTable(table: Table, there: TableTotal): Promise<TableTotal> {
    const sum = new TableSum(table);
    let noted = there;
    for await (const { rows, lines } of inBatches(this.#source.rows(table), there.rows)) {
      const isThere = sum.rows < there.rows;
      sum.add(rows.length, lines);
      const total = sum.total();
      if (isThere) {
        this.#kept += rows.length;
        if (sum.rows === there.rows && total.sha256 !== there.sha256) throw new SourceChanged();
      } else {
        await this.#target.load(async (loading) => {
          // First: who comes too late waits here, and learns that it is noted already.
          await this.#notes.advance(loading, table, noted, total);
          await loading.append(table, rows);
        });
        noted = total;
      }
      this.#tell(rows.length, isThere ? `${table.name} is there` : table.name);
    }
    if (sum.rows < there.rows) throw new SourceChanged();
    return sum.total();
  }

  /** Reads everything that was written. @throws Failure conflict where it is not what the source has */
  async #check(tables: readonly Table[], totals: ReadonlyMap<TableName, TableTotal>): Promise<void> {
    const wrong = await this.#findWrong(tables, totals);
    if (wrong === null) return;
    await this.#notes.restart();
    throw new Failure(
      'conflict',
      `the table ${wrong} of the target is not what was written to it; nobody else may write there: copy again`,
    );
  }

  async #findWrong(
    tables: readonly Table[],
    totals: ReadonlyMap<TableName, TableTotal>,
  ): Promise<TableName | null> {
    const written = await this.#target.snapshot();
    try {
      const onRead = (rows: number, name: TableName) => this.#tell(rows, `checking ${name}`);
      for await (const { table, total } of sumTables(written, tables, onRead)) {
        const wanted = totals.get(table.name);
        if (total.rows !== wanted?.rows || total.sha256 !== wanted.sha256) return table.name;
      }
      return null;
    } finally {
      // Emptying the tables waits for whoever reads them.
      await written.close();
    }
  }

  #tell(rows: number, doing: string): void {
    this.#done += rows;
    this.#onMoved(this.#done, this.#total, doing);
  }
}

/** Works out the totals of tables by reading all of them. */
export async function* sumTables(
  snapshot: Snapshot,
  tables: readonly Table[],
  onRead: (rows: number, name: TableName) => void,
): AsyncGenerator<{ readonly table: Table; readonly total: TableTotal }> {
  for (const table of tables) {
    const sum = new TableSum(table);
    for await (const rows of snapshot.rows(table)) {
      sum.add(rows.length, toLines(rows));
      onRead(rows.length, table.name);
    }
    yield { table, total: sum.total() };
  }
}

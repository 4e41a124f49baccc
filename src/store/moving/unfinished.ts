import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { Failure } from '../../errors.ts';
import { NoRowChanged, type Reader, type Statement } from '../engine.ts';
import { renewEpochs } from '../epochs.ts';
import {
  type Applied,
  isNoTable,
  MIGRATIONS,
  readApplied,
  refuseUnknown,
  UNFINISHED,
} from '../migrations/index.ts';
import { int, text } from '../statements.ts';
import type { Loading, Target } from './ports.ts';
import { TABLES, type Table, type TableName, type TableTotal } from './tables.ts';

const plain = (name: string, sql: string): Statement => ({ name: `moving.${name}`, sql, parameters: [] });

/** How far each table of an unfinished copy has come: its first rows, in the order of their keys. */
const PROGRESS = 'moving_progress';
const NOTHING: TableTotal = { rows: 0, sha256: '' };

/** Whose store it is, whatever it is called today: no two were made at the same milliseconds. */
export function identify(applied: readonly Applied[]): string {
  const made = applied.map(({ name, at }) => [name, at]);
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 16);
}

/** What a store to copy from has had. @throws Failure where this program cannot read it as it is */
export async function readSourceApplied(source: Reader): Promise<Applied[]> {
  const applied = await readApplied(source);
  refuseUnknown(applied);
  if (applied.length < MIGRATIONS.length) {
    throw new Failure(
      'precondition',
      'the store to copy from is not up to date; bring it there first with rollcall db migrate',
    );
  }
  return applied;
}

/** What a store to copy into is: nothing in it, or a copy of a store of this identity that was broken off. */
export type TargetState = 'empty' | 'unfinished';

/** @throws Failure conflict where it holds something else */
export async function readTargetState(target: Reader, identity: string): Promise<TargetState> {
  const applied = await readApplied(target);
  const [mark, ...rest] = applied;
  if (mark?.number === UNFINISHED) {
    refuseUnknown(rest);
    if (mark.name !== nameMark(identity) || rest.length < MIGRATIONS.length) {
      throw new Failure(
        'conflict',
        'the target is an unfinished copy of another store, or of another version of Rollcall; empty it, or give another target',
      );
    }
    return 'unfinished';
  }
  refuseUnknown(applied);
  if (!(await isEmpty(target))) {
    throw new Failure('conflict', 'the target is not empty; give one that is');
  }
  return 'empty';
}

/** Whether a store has nothing in it, or is not there at all. */
export async function isEmpty(store: Reader): Promise<boolean> {
  for (const name of TABLES) {
    // Noted whenever a store is opened.
    if (name === 'dialects') continue;
    const one = plain('any', `select 1 from ${name} limit 1`);
    const rows = await store.read(one, {}).catch((error) => {
      if (isNoTable(error)) return [];
      throw error;
    });
    if (rows.length > 0) return false;
  }
  return true;
}

const OTHER = 'another process copies into the same target; let one of them end';

const nameMark = (identity: string) => `unfinished copy of ${identity}`;

/** The notes that an unfinished copy keeps of itself in its target, until it is whole. */
export class CopyNotes {
  readonly #target: Target;
  readonly #take: Statement;

  constructor(target: Target) {
    this.#target = target;
    this.#take = target.statements.get('moving.advance', '', (db) => ({
      compile: () =>
        sql`update ${sql.table(PROGRESS)} set copied = ${int('to')}, sum = ${text('sum')}
            where table_name = ${text('name')} and copied = ${int('from')}`.compile(db),
    }));
  }

  /** Marks an empty store as an unfinished copy, or goes on with what is one. */
  begin(identity: string, now: number): Promise<void> {
    return this.#target.load(async (loading) => {
      if ((await readTargetState(loading, identity)) === 'unfinished') return;
      const run = (sql: string) => loading.run(plain('begin', sql), {});
      await run(
        `create table ${PROGRESS} (table_name text primary key, copied bigint not null, sum text not null)`,
      );
      await run(
        `insert into migrations (number, name, applied_at) values (${UNFINISHED}, '${nameMark(identity)}', ${now})`,
      );
      await this.#clear(loading);
    });
  }

  /** What of each table is there. */
  async read(): Promise<ReadonlyMap<TableName, TableTotal>> {
    const sql = `select table_name, copied, sum from ${PROGRESS}`;
    const rows = await this.#target.engine.read(plain('progress', sql), {});
    const found = new Map(
      rows.map(([name, copied, sum]) => [String(name), { rows: Number(copied), sha256: String(sum) }]),
    );
    return new Map(TABLES.map((name) => [name, found.get(name) ?? NOTHING]));
  }

  /** Notes that a table has come from one total to another. @throws Failure conflict where it was not there */
  async advance(loading: Loading, { name }: Table, from: TableTotal, to: TableTotal): Promise<void> {
    const mark = `select 1 from migrations where number = ${UNFINISHED}`;
    const [unfinished] = await loading.read(plain('unfinished', mark), {});
    // The notes went with the mark, once the other was through.
    if (unfinished === undefined) throw new Failure('conflict', OTHER);
    const values = { name, from: from.rows, to: to.rows, sum: to.sha256 };
    await loading.runOne(this.#take, values).catch((error) => {
      throw error instanceof NoRowChanged ? new Failure('conflict', OTHER, { cause: error }) : error;
    });
  }

  /** Takes everything away that was copied, to begin anew. */
  restart(): Promise<void> {
    return this.#target.load((loading) => this.#clear(loading));
  }

  /** The copy is whole: from now on it is a store like any other. */
  finish(): Promise<void> {
    return this.#target.load(async (loading) => {
      await renewEpochs(loading);
      await loading.run(plain('finish', `drop table ${PROGRESS}`), {});
      await loading.run(plain('finish', `delete from migrations where number = ${UNFINISHED}`), {});
    });
  }

  async #clear(loading: Loading): Promise<void> {
    for (const sql of emptyTables(this.#target)) await loading.run(plain('clear', sql), {});
    await loading.run(plain('clear', `delete from ${PROGRESS}`), {});
    const values = TABLES.map((name) => `('${name}', 0, '')`).join(', ');
    await loading.run(
      plain('clear', `insert into ${PROGRESS} (table_name, copied, sum) values ${values}`),
      {},
    );
  }
}

function emptyTables({ flavor }: Target): string[] {
  if (flavor === 'postgres') return [`truncate ${TABLES.join(', ')}`];
  return TABLES.toReversed().map((name) => `delete from ${name}`);
}

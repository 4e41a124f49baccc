import { closeSync, openSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Failure } from '../../errors.ts';
import type { Cell, Observe, Statement } from '../engine.ts';

export interface SqliteOptions {
  readonly path: string;
  /** Page cache of each of the two connections, in MiB. */
  readonly cacheMiB: number;
  /** How long a writer waits for another process's writer, in milliseconds. */
  readonly busyTimeout: number;
  readonly observe?: Observe;
}

/** The pragmas that every connection is opened with, and what each must then answer. */
export const PRAGMAS: Readonly<Record<string, string | number>> = {
  journal_mode: 'wal',
  // NORMAL, better-sqlite3's default in WAL mode, may lose acknowledged writes when the power fails.
  synchronous: 2,
  foreign_keys: 1,
  // What is deleted is overwritten with zeros: else it stays readable in the file until its place is used again.
  secure_delete: 1,
};

/** How long the log's emptying waits for who reads it, in milliseconds; nobody writes meanwhile. */
const CHECKPOINT_PATIENCE = 200;

const isBusy = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code);

/** SQLite's failures in our words; what is not known here is a bug and passes through. */
export function explain(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const code = error.code;
  if (isBusy(error)) {
    return new Failure('unavailable', 'the store is busy with another writer; try again in a moment', {
      retryAfter: 1,
      cause: error,
    });
  }
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return new Failure(
      'unavailable',
      `cannot write to ${path}: the disk is full or failing; free some space and try again`,
      {
        retryAfter: 30,
        cause: error,
      },
    );
  }
  if (code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN') || code === 'SQLITE_PERM') {
    return new Failure(
      'unavailable',
      `cannot open ${path} for writing; mend its permissions or give another folder with --data`,
      {
        cause: error,
      },
    );
  }
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB') {
    return new Failure('unavailable', `${path} is damaged or not a Rollcall store; restore a backup`, {
      cause: error,
    });
  }
  return error;
}

/** People's data: SQLite would make the file readable by all. Its log and shared memory take the file's mode. */
export function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch {
    // It is there already, or cannot be made; then SQLite says why.
  }
}

/** Another program's database is left as it is, its journal mode too. @throws Failure precondition */
function refuseForeign(db: Database.Database, path: string): void {
  const tables = db
    .prepare<[], string>(`select name from sqlite_master where type = 'table' and name not glob 'sqlite_*'`)
    .pluck(true)
    .all();
  if (tables.length > 0 && !tables.includes('migrations')) {
    db.close();
    throw new Failure(
      'precondition',
      `${path} is another program's database; give another folder with --data`,
    );
  }
}

/** One connection to the file, with its statements prepared once. */
export class Connection {
  readonly #db: Database.Database;
  readonly #path: string;
  readonly #observe: Observe | undefined;
  readonly #statements = new Map<string, Database.Statement>();
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #version: Database.Statement;
  #turnVersion: number | null = null;
  /** Statements that gave up as another process kept the file. */
  timesBusy = 0;
  #isEnding = false;

  constructor(options: SqliteOptions) {
    this.#path = options.path;
    this.#observe = options.observe;
    this.#db = new Database(options.path, { timeout: options.busyTimeout });
    refuseForeign(this.#db, options.path);
    for (const [name, value] of Object.entries(PRAGMAS)) {
      if (this.#db.pragma(name, { simple: true }) !== value) this.#db.pragma(`${name} = ${value}`);
      const answer = this.#db.pragma(name, { simple: true });
      if (answer !== value) throw new Error(`SQLite kept ${name} at ${answer}`);
    }
    this.#db.pragma(`cache_size = ${-1024 * options.cacheMiB}`);
    this.#db.pragma('temp_store = memory');
    // Index pages are written again and again while many rows come in: fewer checkpoints, fewer writes.
    this.#db.pragma('wal_autocheckpoint = 16000');
    this.#begin = this.#db.prepare('begin');
    this.#commit = this.#db.prepare('commit');
    this.#version = this.#db.prepare('pragma data_version').pluck(true);
  }

  #prepare(statement: Statement): Database.Statement {
    let prepared = this.#statements.get(statement.sql);
    if (prepared === undefined) {
      prepared = this.#db.prepare(statement.sql);
      if (prepared.reader) prepared.raw(true);
      this.#statements.set(statement.sql, prepared);
    }
    return prepared;
  }

  read(statement: Statement, cells: readonly Cell[]): Cell[][] {
    const start = performance.now();
    try {
      return this.#prepare(statement).all(cells) as Cell[][];
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#observe?.(statement, cells, (performance.now() - start) / 1000);
    }
  }

  /** Gives how many rows were changed. */
  run(statement: Statement, cells: readonly Cell[]): number {
    const start = performance.now();
    try {
      return this.#prepare(statement).run(cells).changes;
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#observe?.(statement, cells, (performance.now() - start) / 1000);
    }
  }

  execute(sql: string): void {
    try {
      this.#db.exec(sql);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    if (isBusy(error)) this.timesBusy += 1;
    return explain(error, this.#path);
  }

  sqliteVersion(): string {
    return String(this.#db.prepare('select sqlite_version()').pluck(true).get());
  }

  /**
   * Opens a reading transaction that lasts until this turn of the event loop ends: its statements share
   * the cost of taking and giving up the file's locks, and see one state of the store.
   */
  beginTurn(): void {
    if (this.#db.inTransaction) return;
    this.#begin.run();
    this.#endLater();
  }

  endTurn(): void {
    this.#turnVersion = null;
    if (this.#db.open && this.#db.inTransaction) this.#commit.run();
  }

  #endLater(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(() => {
      this.#isEnding = false;
      this.endTurn();
    });
  }

  /**
   * SQLite's own count of what other connections committed, the writer beside this one among them: the same
   * all through a turn. What is read in this turn is of that state, or of one after it.
   */
  dataVersion(): number {
    if (this.#turnVersion === null) {
      this.#turnVersion = Number(this.#version.get());
      this.#endLater();
    }
    return this.#turnVersion;
  }

  /**
   * Moves the log into the file as far as nobody reads from it, which keeps nobody from anything; or, with
   * `truncate`, all of it, and leaves it empty. False where somebody reads from it for longer than that waits.
   */
  checkpoint(mode: 'passive' | 'truncate'): boolean {
    const timeout = this.#db.pragma('busy_timeout', { simple: true });
    this.#db.pragma(`busy_timeout = ${CHECKPOINT_PATIENCE}`);
    try {
      const [told] = this.#db.pragma(`wal_checkpoint(${mode})`) as { readonly busy: number }[];
      return told?.busy === 0;
    } catch (error) {
      throw this.#explain(error);
    } finally {
      this.#db.pragma(`busy_timeout = ${timeout}`);
    }
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  pragma(name: string): unknown {
    return this.#db.pragma(name, { simple: true });
  }

  close(): void {
    this.#db.close();
  }
}

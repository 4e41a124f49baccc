import Database from 'better-sqlite3';
import { bind, type Cell, type Statement, type Values } from '../engine.ts';
import type { Snapshot } from '../moving/ports.ts';
import { readTables, selectAll, type Table } from '../moving/tables.ts';
import { explain } from './connection.ts';

const AT_ONCE = 500;
/** Pages that a backup copies before it tells of it. */
const PAGES_AT_ONCE = 1000;
/** How long a file that is locked is waited for, in milliseconds. */
const PATIENCE = 30_000;

/** One state of a file, kept by a reading transaction; writers go on beside it. */
export class FileSnapshot implements Snapshot {
  readonly #db: Database.Database;
  readonly #path: string;

  /** @throws Failure unavailable where the file cannot be read or is no database */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#db = new Database(path, { readonly: true, fileMustExist: true, timeout: PATIENCE });
      this.#db.exec('begin');
      // It is the first read that the state is of.
      this.#db.prepare('select count(*) from sqlite_schema').get();
    } catch (error) {
      throw explain(error, path);
    }
  }

  async read(statement: Statement, values: Values): Promise<Cell[][]> {
    try {
      return this.#db.prepare(statement.sql).raw(true).all(bind(statement, values)) as Cell[][];
    } catch (error) {
      throw explain(error, this.#path);
    }
  }

  async tables(): Promise<Table[]> {
    const sql = `select t.name, c.name, c.pk from sqlite_schema as t join pragma_table_info(t.name) as c where t.type = 'table'`;
    return readTables(await this.read({ name: 'moving.tables', sql, parameters: [] }, {}));
  }

  async *rows(table: Table): AsyncGenerator<Cell[][]> {
    try {
      let rows: Cell[][] = [];
      for (const row of this.#db.prepare(selectAll(table)).raw(true).iterate()) {
        if (rows.push(row as Cell[]) < AT_ONCE) continue;
        yield rows;
        rows = [];
      }
      if (rows.length > 0) yield rows;
    } catch (error) {
      throw explain(error, this.#path);
    }
  }

  /**
   * Copies the file as it is in this state, page by page, while others write.
   * @param onPages told of how many of how many are copied
   */
  async backUp(to: string, onPages: (done: number, total: number) => void): Promise<void> {
    try {
      await this.#db.backup(to, {
        progress({ totalPages, remainingPages }) {
          onPages(totalPages - remainingPages, totalPages);
          return PAGES_AT_ONCE;
        },
      });
    } catch (error) {
      throw explain(error, to);
    }
  }

  async share(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    this.#db.close();
  }
}

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { bind, type Cell, NoRowChanged, type Statement, type Values } from '../engine.ts';
import type { Loading, Snapshot } from '../moving/ports.ts';
import { readTables, selectAll, type Table } from '../moving/tables.ts';
import { explain, explainConnecting } from './failures.ts';
import { COMMAND_LIMITS, type PostgresPlace } from './place.ts';
import { ADAPT_TO_CITUS } from './sharding.ts';

const AT_ONCE = 500;
/** How long the server bears that nothing is asked within a transaction: the other store may be slow. Milliseconds. */
const IDLE = 600_000;

/** One connection, for what needs a connection of its own: a state that stays, rows by COPY. */
export class PostgresSession {
  readonly #client: pg.Client;
  readonly #shown: string;

  private constructor(client: pg.Client, shown: string) {
    this.#client = client;
    this.#shown = shown;
  }

  /** @throws Failure unavailable */
  static async open(place: PostgresPlace): Promise<PostgresSession> {
    // Of several hosts, the one that may be written; which that is may have changed since the last time.
    await place.hosts?.find();
    const client = new pg.Client({
      ...place.config(COMMAND_LIMITS, 'write'),
      // COPY takes the connection for itself.
      pipeline: false,
      idle_in_transaction_session_timeout: IDLE,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await place.hosts?.check(client);
      await client.query(ADAPT_TO_CITUS);
    } catch (error) {
      throw explainConnecting(error, place.shown);
    }
    return new PostgresSession(client, place.shown);
  }

  async query(text: string, values: readonly Cell[] = []): Promise<pg.QueryArrayResult<Cell[]>> {
    try {
      return await this.#client.query<Cell[]>({ text, values: [...values], rowMode: 'array' });
    } catch (error) {
      throw explain(error, this.#shown);
    }
  }

  /** Puts rows in by COPY, which takes a fraction of what statements take. */
  async append({ name, columns }: Table, rows: readonly (readonly Cell[])[]): Promise<void> {
    try {
      const stream = this.#client.query(copyFrom(`copy ${name} (${columns.join(', ')}) from stdin`));
      await pipeline(Readable.from([Buffer.from(toCopyText(rows))]), stream);
    } catch (error) {
      throw explain(error, this.#shown);
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => {});
  }
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Rows in COPY's text format (https://www.postgresql.org/docs/current/sql-copy.html). */
export function toCopyText(rows: readonly (readonly Cell[])[]): string {
  let text = '';
  for (const row of rows) {
    for (const [at, cell] of row.entries()) {
      if (at > 0) text += '\t';
      if (cell === null) text += '\\N';
      else if (typeof cell === 'number') text += cell;
      else text += cell.replace(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character);
    }
    text += '\n';
  }
  return text;
}

/** What a transaction of a session does. */
export function createLoading(session: PostgresSession): Loading {
  const ask = (statement: Statement, values: Values) => session.query(statement.sql, bind(statement, values));
  return {
    read: (statement, values) => readSafely(session, statement, values),
    run: async (statement, values) => void (await ask(statement, values)),
    runOne: async (statement, values) => {
      if ((await ask(statement, values)).rowCount !== 1) throw new NoRowChanged();
    },
    append: (table, rows) => session.append(table, rows),
  };
}

/** A statement that fails would end its transaction, and what the transaction has with it. */
async function readSafely(session: PostgresSession, statement: Statement, values: Values): Promise<Cell[][]> {
  await session.query('savepoint asked');
  try {
    const { rows } = await session.query(statement.sql, bind(statement, values));
    await session.query('release savepoint asked');
    return rows;
  } catch (error) {
    await session.query('rollback to savepoint asked');
    throw error;
  }
}

/** Runs `work` in one transaction of a session. */
export async function transact<T>(
  session: PostgresSession,
  work: (loading: Loading) => Promise<T>,
): Promise<T> {
  await session.query('begin');
  try {
    const value = await work(createLoading(session));
    await session.query('commit');
    return value;
  } catch (error) {
    // Where the connection is gone, so is the transaction.
    await session.query('rollback').catch(() => {});
    throw error;
  }
}

/** One state of a database, kept by a transaction: one that only reads at `repeatable read`, or one's own. */
export class DatabaseSnapshot implements Snapshot {
  readonly #session: PostgresSession;

  /** What a session sees in the transaction that it is in. */
  constructor(session: PostgresSession) {
    this.#session = session;
  }

  /** @throws Failure unavailable */
  static async open(place: PostgresPlace): Promise<DatabaseSnapshot> {
    const session = await PostgresSession.open(place);
    try {
      await session.query('begin isolation level repeatable read read only');
      // It is the first statement that the state is of.
      await session.query('select pg_current_snapshot()');
    } catch (error) {
      await session.close();
      throw error;
    }
    return new DatabaseSnapshot(session);
  }

  async read(statement: Statement, values: Values): Promise<Cell[][]> {
    return readSafely(this.#session, statement, values);
  }

  async tables(): Promise<Table[]> {
    const { rows } = await this.#session.query(`
      select c.relname, a.attname, coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)
      from pg_class as c
      join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      left join pg_index as i on i.indrelid = c.oid and i.indisprimary
      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')`);
    return readTables(rows);
  }

  async *rows(table: Table): AsyncGenerator<Cell[][]> {
    await this.#session.query(`declare moving no scroll cursor for ${selectAll(table)}`);
    const fetch = () => {
      const fetched = this.#session.query(`fetch ${AT_ONCE} from moving`);
      // Whoever works on the rows before them is told when they come to these.
      fetched.catch(() => {});
      return fetched;
    };
    // The next ones come while these are worked on.
    let next = fetch();
    try {
      for (;;) {
        const { rows } = await next;
        if (rows.length === 0) break;
        next = fetch();
        yield rows;
      }
    } finally {
      await next.catch(() => {});
      await this.#session.query('close moving').catch(() => {});
    }
  }

  async share(): Promise<string> {
    const { rows } = await this.#session.query('select pg_export_snapshot()');
    return String(rows[0]?.[0]);
  }

  async close(): Promise<void> {
    await this.#session.close();
  }
}

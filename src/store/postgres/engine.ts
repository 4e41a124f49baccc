import type pg from 'pg';
import {
  bind,
  type Cell,
  type Engine,
  insertParts,
  NoRowChanged,
  type Observe,
  type Statement,
  type Transaction,
  type Values,
} from '../engine.ts';
import {
  explain,
  explainConnecting,
  explainForeign,
  isLost,
  isReadOnly,
  isUnprepared,
  isWorthAnotherTry,
} from './failures.ts';
import { createPostgresFigures, type PoolName, PostgresCounts } from './figures.ts';
import { type PostgresLimits, type PostgresPlace, SCHEMA_LOCK } from './place.ts';
import { PostgresPool } from './pool.ts';
import { Turns } from './turns.ts';

/** Reads that one connection is given together at most: the slowest holds the others up. */
const TOGETHER = 8;
/** A read that fails within this time is tried once more, in milliseconds. */
const SOON = 300;
/** Waits before what failed is tried again, in milliseconds; a transaction that met others is so often. */
const PAUSES = [10, 40, 160] as const;
/** Statements of a transaction that are sent before the first of them is answered. */
const AHEAD = 256;

const LOCK: Statement = {
  name: 'contact_centers.lock',
  // Weaker than `for update`: whoever only refers to the contact center need not wait.
  sql: 'select 1 from contact_centers where contact_center_id = cast($1 as bigint) for no key update',
  parameters: ['cc'],
};

/** How far a transaction came. */
interface Attempt {
  isCommitSent: boolean;
}

interface Asked {
  readonly statement: Statement;
  readonly cells: Cell[];
  readonly resolve: (rows: Cell[][]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * PostgreSQL over two bounded pools, so that writers who wait for each other hold no reader up. Reads that
 * come in one turn of the event loop go to the server together, over as few connections as will do.
 */
export class PostgresEngine implements Engine {
  readonly #place: PostgresPlace;
  readonly #limits: PostgresLimits;
  readonly #observe: Observe | undefined;
  readonly #reads: PostgresPool;
  readonly #writes: PostgresPool;
  /** What each statement is called on every connection, by its text. */
  readonly #names = new Map<string, string>();
  readonly #counts = new PostgresCounts();
  readonly #turns: Turns;
  #asked: Asked[] = [];
  #lost = 0;

  constructor(place: PostgresPlace, limits: PostgresLimits, observe?: Observe) {
    this.#place = place;
    this.#limits = limits;
    this.#observe = observe;
    this.#turns = new Turns(limits.lock);
    const lose = () => this.#lose();
    this.#reads = new PostgresPool(place, limits, 'read', lose);
    this.#writes = new PostgresPool(place, limits, 'write', lose);
  }

  async read(statement: Statement, values: Values): Promise<Cell[][]> {
    const cells = bind(statement, values);
    const start = performance.now();
    for (let tries = 0; ; tries += 1) {
      // The first time it may have been one connection alone that broke, or was broken before it was used. Who has
      // waited for long is told, and not kept waiting as long again.
      const until = start + Math.max(tries === 0 ? SOON : 0, this.#limits.again.read);
      try {
        return await this.#ask(statement, cells);
      } catch (error) {
        const isWorthIt = isLost(error) || isUnprepared(error);
        if (!isWorthIt || performance.now() > until) throw explain(error, this.#place.shown);
      }
      this.#counts.retries.read += 1;
      if (tries > 0) await pauseAfter(tries - 1);
    }
  }

  /**
   * What other processes write is not told to this one: a token, and with it the contact center's revision,
   * is read for each request.
   */
  mark(): null {
    return null;
  }

  readonly isParallel = true;

  /** Where a host's address leads is not told: whenever a connection is lost it may be to another server. */
  era(): number {
    return this.#lost + (this.#place.hosts?.changes ?? 0);
  }

  async transaction<T>(
    contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const end = await this.#turns.take(contactCenters);
    try {
      return await this.#transactUntilKept(contactCenters, work);
    } finally {
      end();
    }
  }

  async #transactUntilKept<T>(
    contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
  ): Promise<T> {
    const until = performance.now() + this.#limits.again.write;
    for (let tries = 0; ; tries += 1) {
      const attempt: Attempt = { isCommitSent: false };
      try {
        return await this.#transact(contactCenters, work, attempt);
      } catch (error) {
        const isAgain = isLost(error)
          ? // Whether a commit that was sent came through is not known.
            !attempt.isCommitSent && performance.now() < until
          : isWorthAnotherTry(error) && tries < PAUSES.length;
        if (!isAgain) throw error;
      }
      this.#counts.retries.write += 1;
      await pauseAfter(tries);
    }
  }

  /**
   * Runs `work` while no other process does the same in this schema, for minutes if need be. It waits as
   * long for the others. @throws Failure unavailable where they do not end
   */
  async alone<T>(work: () => Promise<T>): Promise<T> {
    const client = await this.#connect('read');
    try {
      await client.query("set lock_timeout = '120s'; set statement_timeout = '121s'");
      // The driver would give up sooner; it takes the time for each statement by itself.
      const lock = { text: `select pg_advisory_lock(${SCHEMA_LOCK})` };
      await client.query({ ...lock, query_timeout: 122_000 } as pg.QueryConfig);
      return await work();
    } catch (error) {
      throw explainForeign(error) ?? explain(error, this.#place.shown);
    } finally {
      // Closing it is what lets go of the lock and of the settings.
      client.release(true);
    }
  }

  readonly figures = createPostgresFigures(this, this.#counts, (name) => this.#pool(name).state);

  async close(): Promise<void> {
    await Promise.all([this.#reads.end(), this.#writes.end()]);
  }

  #ask(statement: Statement, cells: Cell[]): Promise<Cell[][]> {
    return new Promise((resolve, reject) => {
      if (this.#asked.length === 0) setImmediate(() => this.#sendAsked());
      this.#asked.push({ statement, cells, resolve, reject });
    });
  }

  #sendAsked(): void {
    const all = this.#asked;
    this.#asked = [];
    for (let from = 0; from < all.length; from += TOGETHER) {
      const part = all.slice(from, from + TOGETHER);
      this.#sendTogether(part).catch((error) => {
        for (const { reject } of part) reject(error);
      });
    }
  }

  async #sendTogether(part: readonly Asked[]): Promise<void> {
    const client = await this.#connect('read');
    const lost: unknown[] = [];
    const answered = part.map(({ statement, cells, resolve, reject }) =>
      this.#query(client, statement, cells).then(
        ({ rows }) => resolve(rows),
        (error) => {
          if (isLost(error)) lost.push(error);
          reject(error);
        },
      ),
    );
    await Promise.all(answered);
    client.release(lost.length > 0);
  }

  #pool(name: PoolName): PostgresPool {
    return name === 'read' ? this.#reads : this.#writes;
  }

  async #connect(name: PoolName): Promise<pg.PoolClient> {
    const start = performance.now();
    try {
      return await this.#pool(name).connect();
    } catch (error) {
      this.#connectFailed(name, error);
      const { hosts } = this.#place;
      if (hosts === null || !isLost(error)) throw explainConnecting(error, this.#place.shown);
      const found = hosts.find();
      // Who has waited for long is told; whoever asks next goes to what was found.
      const isLate = performance.now() - start > this.#limits.acquire / 3;
      if (isLate || !(await found)) throw explainConnecting(error, this.#place.shown);
    }
    try {
      return await this.#pool(name).connect();
    } catch (error) {
      this.#connectFailed(name, error);
      throw explainConnecting(error, this.#place.shown);
    }
  }

  #connectFailed(name: PoolName, error: unknown): void {
    this.#counts.connectFailed(name, error);
    if (isLost(error)) this.#lose();
  }

  #lose(): void {
    this.#lost += 1;
  }

  async #query(
    client: pg.PoolClient,
    statement: Statement,
    cells: readonly Cell[],
  ): Promise<pg.QueryArrayResult<Cell[]>> {
    const start = performance.now();
    try {
      return await client.query<Cell[]>({
        text: statement.sql,
        rowMode: 'array',
        // What runs once is not worth a name that is kept.
        ...(statement.parameters.length === 0
          ? {}
          : { name: this.#nameOf(statement), values: cells.map(toParameter) }),
      });
    } catch (error) {
      this.#counts.queryFailed(error);
      if (isLost(error)) this.#lose();
      throw error;
    } finally {
      this.#observe?.(statement, cells, (performance.now() - start) / 1000);
    }
  }

  #nameOf({ sql }: Statement): string {
    let name = this.#names.get(sql);
    if (name === undefined) {
      name = `rollcall_${this.#names.size}`;
      this.#names.set(sql, name);
    }
    return name;
  }

  async #transact<T>(
    contactCenters: readonly number[],
    work: (transaction: Transaction) => Promise<T>,
    attempt: Attempt,
  ): Promise<T> {
    const client = await this.#connect('write');
    const query = async (statement: Statement, cells: readonly Cell[]) => {
      try {
        return await this.#query(client, statement, cells);
      } catch (error) {
        throw explain(error, this.#place.shown);
      }
    };
    /** Sends many without waiting for each; the first that fails is the one that is told. */
    const queryEach = async (all: Iterable<readonly [Statement, readonly Cell[]]>) => {
      let sent: Promise<unknown>[] = [];
      for (const [statement, cells] of all) {
        sent.push(query(statement, cells));
        if (sent.length < AHEAD) continue;
        await Promise.all(sent);
        sent = [];
      }
      await Promise.all(sent);
    };
    const control = (sql: string) => query({ name: sql, sql, parameters: [] }, []);
    let isOver = false;
    let isGone = false;
    try {
      // In an order that all share, so that nobody waits for one who waits for them.
      const locks = [...new Set(contactCenters)].sort((a, b) => a - b);
      await Promise.all([control('begin'), queryEach(locks.map((cc) => [LOCK, [cc]] as const))]);
      const value = await work({
        read: async (statement, values) => (await query(statement, bind(statement, values))).rows,
        run: async (statement, values) => void (await query(statement, bind(statement, values))),
        runOne: async (statement, values) => {
          const { rowCount } = await query(statement, bind(statement, values));
          if (rowCount !== 1) throw new NoRowChanged();
        },
        runEach: (statement, rows) =>
          queryEach(rows.map((values) => [statement, bind(statement, values)] as const)),
        insert: (inserter, cells, shared = []) =>
          queryEach(
            Array.from(insertParts(inserter, cells, shared), (part) => [part.statement, part.cells] as const),
          ),
      });
      attempt.isCommitSent = true;
      await this.#commit(client);
      isOver = true;
      return value;
    } catch (error) {
      isGone = isLost(error);
      // It was the primary once, and takes connections still.
      if (isReadOnly(error)) await this.#place.hosts?.find();
      throw error;
    } finally {
      // Where even this fails, the connection goes, and the server drops what was written.
      const isGood =
        isOver ||
        (!isGone &&
          (await control('rollback').then(
            () => true,
            () => false,
          )));
      client.release(!isGood);
    }
  }

  async #commit(client: pg.PoolClient): Promise<void> {
    try {
      const { command } = await client.query('commit');
      // Of a transaction in which a statement failed the server says so, and drops it without an error.
      if (command !== 'COMMIT') throw new Error('a transaction went on behind a statement that failed');
    } catch (error) {
      throw explain(error, this.#place.shown);
    }
  }
}

const pauseAfter = (tries: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, PAUSES[tries] ?? PAUSES[2]));

/** The bound of a bigint is given for numbers beyond it, as SQLite does: they equal nobody's and are above all. */
function toParameter(cell: Cell): Cell {
  if (typeof cell !== 'number' || Math.abs(cell) < 2 ** 63) return cell;
  return cell > 0 ? '9223372036854775807' : '-9223372036854775808';
}

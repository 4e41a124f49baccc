import pg from 'pg';
import type { Lease } from '../../recordings/ports.ts';
import { explain, isLost } from './failures.ts';
import type { PostgresLimits, PostgresPlace } from './place.ts';

/** How often the holder looks whether its connection still lives, in milliseconds. */
const BEAT = 10_000;
/**
 * A holder whose machine is gone is cut off by the server after idle + count * interval seconds, 25: later
 * than a holder that cannot reach the server gives up by itself, so that there are never two.
 */
const KEEPALIVE =
  'set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3';

interface Held {
  readonly client: pg.Client;
  readonly lost: AbortController;
  readonly beat: NodeJS.Timeout;
}

/**
 * A lock of the database's own (pg_try_advisory_lock), for a schema and a name, on a connection that is kept
 * for it: it ends with the connection, and so with the process, however that ended.
 */
export class PostgresLease implements Lease {
  readonly #place: PostgresPlace;
  readonly #limits: PostgresLimits;
  readonly #name: string;
  #held: Held | null = null;

  constructor(place: PostgresPlace, limits: PostgresLimits, name: string) {
    this.#place = place;
    this.#limits = limits;
    this.#name = name;
  }

  async take(): Promise<AbortSignal | null> {
    if (this.#held !== null) return this.#held.lost.signal;
    const client = new pg.Client(this.#place.config(this.#limits, 'read'));
    const lost = new AbortController();
    const lose = () => {
      if (this.#held?.client === client) {
        clearInterval(this.#held.beat);
        this.#held = null;
      }
      lost.abort();
      client.end().catch(() => {});
    };
    client.on('error', lose);
    client.on('end', lose);
    try {
      await client.connect();
      await this.#place.hosts?.check(client);
      await client.query(KEEPALIVE);
      const { rows } = await client.query<{ taken: unknown }>(
        "select pg_try_advisory_lock(hashtextextended(current_schema() || ' ' || $1, 5726623061)) as taken",
        [this.#name],
      );
      // Our own reading of bool gives a number.
      if (Number(rows[0]?.taken) !== 1) {
        lose();
        return null;
      }
    } catch (error) {
      lose();
      // The next try goes to the host that is found now.
      if (isLost(error)) await this.#place.hosts?.find();
      throw explain(error, this.#place.shown);
    }
    const beat = setInterval(() => client.query('select 1').catch(lose), BEAT);
    beat.unref();
    this.#held = { client, lost, beat };
    return lost.signal;
  }

  async release(): Promise<void> {
    const held = this.#held;
    if (held === null) return;
    this.#held = null;
    clearInterval(held.beat);
    await held.client.end().catch(() => {});
  }
}

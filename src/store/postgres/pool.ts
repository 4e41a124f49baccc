import pg from 'pg';
import type { PoolName, PoolState } from './figures.ts';
import type { PostgresLimits, PostgresPlace } from './place.ts';
import { ADAPT_TO_CITUS } from './sharding.ts';

/** A bounded pool of connections, which all lead to the host that is chosen. */
export class PostgresPool {
  readonly #place: PostgresPlace;
  readonly #pool: pg.Pool;
  /** For each connection, how often the host had been changed when it was made. */
  readonly #changes = new WeakMap<pg.ClientBase, number>();

  /** @param onLost told where a connection breaks that nobody uses */
  constructor(place: PostgresPlace, limits: PostgresLimits, name: PoolName, onLost: () => void) {
    this.#place = place;
    const changes = this.#changes;
    // Each connection goes to the host that is chosen when it is made.
    class Client extends pg.Client {
      constructor() {
        super(place.config(limits, name));
        changes.set(this, place.hosts?.changes ?? 0);
      }
    }
    const onConnect = async (client: pg.ClientBase): Promise<void> => {
      await place.hosts?.check(client);
      await client.query(ADAPT_TO_CITUS);
    };
    this.#pool = new pg.Pool({ ...place.config(limits, name), Client, onConnect });
    // A connection that breaks while nobody uses it is replaced; one in use tells its statements.
    this.#pool.on('error', onLost);
    this.#pool.on('connect', (client) => client.on('error', () => {}));
  }

  /** A connection, which must be released. @throws Error of the driver's or the server's */
  async connect(): Promise<pg.PoolClient> {
    for (;;) {
      const client = await this.#pool.connect();
      if (this.#changes.get(client) === (this.#place.hosts?.changes ?? 0)) return client;
      // The host that it leads to may live on, as something else.
      client.release(true);
    }
  }

  get state(): PoolState {
    const { options, totalCount: total, idleCount: idle, waitingCount: waiting } = this.#pool;
    return { max: options.max, total, idle, waiting };
  }

  end(): Promise<void> {
    return this.#pool.end();
  }
}

import pg from 'pg';

/** How long a host has to say what it is, in milliseconds. */
const ANSWER = 1000;
/** How long it is until hosts are asked again where none would do, in milliseconds. */
const AGAIN = 200;

/** What a host has to be, as libpq names it. */
export type Target = 'any' | 'primary' | 'read-write';

const WANTS: Readonly<Record<Target, string | null>> = {
  any: null,
  primary: 'select 1 where not pg_is_in_recovery()',
  'read-write': "select 1 where current_setting('transaction_read_only') = 'off'",
};

export function isTarget(text: string): text is Target {
  return Object.hasOwn(WANTS, text);
}

/** A host takes connections, and is not what was asked for: "read only", in PostgreSQL's own code. */
class WrongHost extends Error {
  readonly code = '25006';
}

/** Several hosts of one database, of which the first that is as it should be is chosen, in their order. */
export class Hosts {
  readonly #urls: readonly string[];
  readonly #wants: string | null;
  #chosen = 0;
  #changes = 0;
  #finding: Promise<boolean> | null = null;
  #foundNone = Number.NEGATIVE_INFINITY;

  constructor(urls: readonly string[], target: Target) {
    this.#urls = urls;
    this.#wants = WANTS[target];
  }

  /** The URL of the host that was last chosen; the first, before any was. */
  get chosen(): string {
    return this.#urls[this.#chosen] ?? '';
  }

  /** How often another one was chosen than before. */
  get changes(): number {
    return this.#changes;
  }

  /** Checks that a new connection leads to what was asked for. @throws Error that says the connection is of no use */
  async check(client: pg.ClientBase): Promise<void> {
    if (this.#wants === null) return;
    const { rows } = await client.query(this.#wants);
    if (rows.length === 0) throw new WrongHost('this host is not what target_session_attrs asks for');
  }

  /** Looks for a host that will do, all of them at once; asked again meanwhile, gives the same answer. */
  find(): Promise<boolean> {
    if (performance.now() - this.#foundNone < AGAIN) return Promise.resolve(false);
    this.#finding ??= this.#look().finally(() => {
      this.#finding = null;
    });
    return this.#finding;
  }

  async #look(): Promise<boolean> {
    const answers = this.#urls.map((url) => this.#isGood(url));
    for (const [at, answer] of answers.entries()) {
      if (!(await answer)) continue;
      if (at !== this.#chosen) this.#changes += 1;
      this.#chosen = at;
      return true;
    }
    this.#foundNone = performance.now();
    return false;
  }

  async #isGood(connectionString: string): Promise<boolean> {
    const client = new pg.Client({
      connectionString,
      application_name: 'rollcall',
      connectionTimeoutMillis: ANSWER,
      query_timeout: ANSWER,
    });
    client.on('error', () => {});
    try {
      await client.connect();
      await this.check(client);
      return true;
    } catch {
      return false;
    } finally {
      client.end().catch(() => {});
    }
  }
}

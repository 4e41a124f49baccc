import { accessSync, constants } from 'node:fs';
import type pg from 'pg';
import { Failure } from '../../errors.ts';
import { Hosts, isTarget, type Target } from './hosts.ts';

/** How long each thing may take, in milliseconds, and how many connections there are at most. */
export interface PostgresLimits {
  /** Connections for reads, and as many more as a third of it for writes. */
  readonly connections: number;
  /** Waiting for a connection, be it a free one or a new one. */
  readonly acquire: number;
  /** One statement that reads outside of a transaction; one that takes longer is ended. */
  readonly read: number;
  /** One statement of a transaction. */
  readonly write: number;
  /** Waiting for whoever writes the same contact center: part of what a statement may take. */
  readonly lock: number;
  /**
   * How long what lost its connection is tried again; no commit is that was sent. Beside it, each read is tried a
   * second time at once.
   */
  readonly again: { readonly read: number; readonly write: number };
}

/** Of a process that answers requests: whoever asks is told within two seconds that the database is away. */
export const SERVE_LIMITS: PostgresLimits = {
  connections: 9,
  acquire: 1500,
  read: 1600,
  write: 15_000,
  lock: 10_000,
  again: { read: 0, write: 500 },
};

/** Of a command, for which somebody waits who would rather have it done. */
export const COMMAND_LIMITS: PostgresLimits = {
  connections: 3,
  acquire: 10_000,
  read: 60_000,
  write: 600_000,
  lock: 60_000,
  // A server that is started again is back within seconds.
  again: { read: 15_000, write: 15_000 },
};

/** Connections of all processes of a server with so many workers, and of a command beside it. */
export function connectionsNeeded(workers: number): number {
  const all = ({ connections }: PostgresLimits) => connections + poolOfWrites(connections);
  const command = all(COMMAND_LIMITS);
  // With several workers the first process has a small store of its own; one process has the lock for the job,
  // and a thread that does it.
  return workers * all(SERVE_LIMITS) + (workers === 1 ? 0 : command) + 1 + command + command;
}

const poolOfWrites = (connections: number) => Math.ceil(connections / 3);

/**
 * Settings of each session. All of our statements go by keys from one contact center's rows to others, and
 * stop at a limit: walking, hashing and sorting tables is never the better plan, whatever the statistics of a
 * table that was just filled say. A plan is made once for each statement and connection; making it anew for
 * each execution costs more than most statements. Locks are what keeps writers apart, and each statement has to see
 * what those before it waited for: a stricter level, be it the database's default, would only refuse them.
 */
const SESSION: Readonly<Record<string, string>> = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  enable_bitmapscan: 'off',
  enable_material: 'off',
  jit: 'off',
  default_transaction_isolation: 'read committed',
};

const toNumber = (text: string): number => Number(text);
const PARSERS: Readonly<Record<number, (text: string) => string | number>> = {
  // bool: SQLite has numbers for it.
  16: (text) => (text === 't' ? 1 : 0),
  // int8, int2, int4 and numeric, which is what sums of int8 are.
  20: toNumber,
  21: toNumber,
  23: toNumber,
  1700: toNumber,
};
const asText = (text: string): string => text;
const types = { getTypeParser: (oid: number) => PARSERS[oid] ?? asText } as pg.CustomTypesConfig;

/** The advisory lock under which a schema is brought up to date, or made anew. */
export const SCHEMA_LOCK = 'hashtextextended(current_schema(), 5726623061)';

/** Where a database is, as it was named by its URL. Holds the password: only `shown` may be told. */
export interface PostgresPlace {
  /** Hosts, ports and database. */
  readonly shown: string;
  /** What its hosts are chosen by; null where there is one alone, which is taken as it is. */
  readonly hosts: Hosts | null;
  /** Settings that sessions are to have, but for those that its user says otherwise. */
  session(limits: PostgresLimits): Readonly<Record<string, string>>;
  /** For a connection to the host that was last chosen. */
  config(limits: PostgresLimits, kind: 'read' | 'write'): pg.PoolConfig;
}

/** Parameters that name a file, which the driver reads when it connects. */
const FILES = ['sslrootcert', 'sslcert', 'sslkey'] as const;

const AIM = 'give postgres://USER:PASSWORD@HOST:PORT/DATABASE, or HOST:PORT,HOST:PORT for several hosts';
/** Scheme, user, hosts with their ports, and the rest: an URL has no word for several hosts. */
const PARTS = /^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)([^/?#@]*)(.*)$/s;

/**
 * Reads a database's URL. Parameters in it win over ours: sslmode, sslrootcert, application_name,
 * statement_timeout and what else node-postgres knows; `options` is added to. Several hosts are written, and
 * `target_session_attrs` is meant, as libpq has them (PostgreSQL's manual, 32.1.1.3).
 * @param several what one of several hosts has to be where the URL does not say
 * @throws Failure invalid, without the URL, which holds a password
 */
export function readPostgresUrl(text: string, several: Target = 'read-write'): PostgresPlace {
  const refuse = (why: string) => new Failure('invalid', `the database URL ${why}; ${AIM}`);
  const [, before = '', hosts = '', rest = ''] = PARTS.exec(text) ?? [];
  if (before === '') throw refuse(URL.canParse(text) ? 'is not of PostgreSQL' : 'cannot be read');
  const all = hosts.split(',').map((host) => {
    if (!URL.canParse(before + host + rest)) throw refuse('cannot be read');
    return new URL(before + host + rest);
  });
  const [url] = all as [URL, ...URL[]];
  const database = url.pathname.slice(1);
  if (database === '') throw refuse('names no database');
  if (all.length > 1 && all.some(({ hostname }) => hostname === '')) throw refuse('lacks a host');
  const target = url.searchParams.get('target_session_attrs');
  if (target !== null && !isTarget(target)) {
    throw refuse('may say any, primary or read-write by target_session_attrs');
  }
  for (const name of FILES) {
    const path = url.searchParams.get(name);
    if (path !== null && !isReadable(path)) {
      throw new Failure(
        'invalid',
        `the database URL names a file by ${name} that cannot be read; mend its path`,
      );
    }
  }
  const at = ({ hostname, port, searchParams }: URL) =>
    `${searchParams.get('host') ?? hostname}:${port || '5432'}`;
  const chooser =
    all.length === 1 && target === null ? null : new Hosts(all.map(complete), target ?? several);
  const only = complete(url);
  return {
    shown: `${all.map(at).join(',')}/${decodeURIComponent(database)}`,
    hosts: chooser,
    session: (limits) => {
      const options = url.searchParams.get('options') ?? '';
      const wanted = { ...SESSION, statement_timeout: String(limits.read) };
      return Object.fromEntries(
        Object.entries(wanted).filter(([name]) => !options.includes(name) && !url.searchParams.has(name)),
      );
    },
    config: (limits, kind) => ({
      connectionString: chooser?.chosen ?? only,
      application_name: 'rollcall',
      types,
      pipeline: true,
      keepAlive: true,
      max: kind === 'read' ? limits.connections : poolOfWrites(limits.connections),
      connectionTimeoutMillis: limits.acquire,
      idleTimeoutMillis: 30_000,
      // Plans are made once for each connection: now and then they are made for the tables as they have become.
      maxLifetimeSeconds: 600,
      statement_timeout: limits[kind],
      lock_timeout: limits.lock,
      idle_in_transaction_session_timeout: 60_000,
      // A server that is cut off says nothing at all: then it is us who give up.
      query_timeout: limits[kind] + 200,
    }),
  };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** The URL that the driver is given for one host. */
function complete(from: URL): string {
  const url = new URL(from);
  url.searchParams.delete('target_session_attrs');
  // What node-postgres makes of these will change, and it says so on stderr; meant is what it does today.
  const mode = url.searchParams.get('sslmode');
  if (mode === 'prefer' || mode === 'require' || mode === 'verify-ca') {
    url.searchParams.set('sslmode', 'verify-full');
  }
  const settings = Object.entries(SESSION).map(
    ([name, value]) => `-c ${name}=${value.replaceAll(' ', '\\ ')}`,
  );
  const options = [...settings, url.searchParams.get('options') ?? ''].join(' ').trim();
  url.searchParams.set('options', options);
  return url.href.replaceAll('+', '%20');
}

import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { Failure } from '../errors.ts';
import { type MediaConfig, type MediaFlags, readMediaConfig } from './media.ts';

/** The folder that holds everything, where neither --data nor ROLLCALL_DATA says otherwise. */
export function defaultData(env: Readonly<Record<string, string | undefined>>): string {
  return env.ROLLCALL_DATA || './data';
}

/** The database that holds everything in place of a file; undefined where the environment names none. */
export function defaultDatabaseUrl(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.ROLLCALL_DATABASE_URL || undefined;
}

/** The standby for searches and exports; undefined where the environment names none. */
export function defaultReplicaUrl(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.ROLLCALL_REPLICA_URL || undefined;
}

/** The Redis that processes share; undefined where the environment names none. */
export function defaultRedisUrl(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env.ROLLCALL_REDIS_URL || undefined;
}

/** Where a Redis is. */
export interface RedisPlace {
  /** Holds a password: never told. */
  readonly url: string;
  /** Host, port and database. */
  readonly shown: string;
}

/** What `serve` was told, checked. */
export interface ServeConfig {
  readonly data: string;
  /** A PostgreSQL database in place of the file in the data folder; holds a password. */
  readonly databaseUrl?: string;
  /** A standby of it for searches and exports; its URL holds a password. */
  readonly replica?: { readonly url: string; readonly maxLag: number };
  readonly media: MediaConfig;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Requests per second and token; null for no limit. */
  readonly rateLimit: number | null;
  /** Where requests are counted for processes that share their limits; null for each by itself. */
  readonly redis: RedisPlace | null;
  readonly trustProxy: string | null;
  /** Where clients reach this server, without a slash at the end; null for where each request came to. */
  readonly publicUrl: string | null;
  /** The longest audio that an upload may have, in bytes. */
  readonly mostUpload: number;
  /** Whether to make the contact center `demo` and print a token for it. */
  readonly demo: boolean;
}

/** The flags of `serve`, as they were given. */
export interface ServeFlags extends MediaFlags {
  readonly databaseUrl?: string;
  readonly host: string;
  readonly port: number;
  readonly workers: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecureHttp?: boolean;
  /** A number, or false for --no-rate-limit. */
  readonly rateLimit: number | false;
  readonly redisUrl?: string;
  readonly trustProxy?: string;
  readonly publicUrl?: string;
  readonly maxUploadMib: number;
  readonly demo?: boolean;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function readPem(path: string, flag: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure('invalid', `cannot read the file that ${flag} names; check its path and permissions`, {
      cause: error,
    });
  }
}

/** Whether a text is an address, or a network as address/bits. */
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** A URL under which clients reach this server; a proxy may take a part of its path away. @throws Failure invalid */
function readPublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || /[?#@]/.test(text)) {
    throw new Failure('invalid', '--public-url takes an address such as https://calls.example.com');
  }
  return url.href.replace(/\/+$/, '');
}

/** A Redis's URL. @throws Failure invalid, without the URL */
function readRedisUrl(text: string): RedisPlace {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^rediss?:$/.test(url.protocol) ||
    url.hostname === '' ||
    !/^(\/\d*)?$/.test(url.pathname)
  ) {
    throw new Failure(
      'invalid',
      '--redis-url takes redis://USER:PASSWORD@HOST:PORT/DATABASE, or rediss:// with TLS',
    );
  }
  return { url: text, shown: `${url.hostname}:${url.port || '6379'}/${url.pathname.slice(1) || '0'}` };
}

/** Checks the flags. @throws Failure invalid */
export function readServeConfig(flags: ServeFlags): ServeConfig {
  if ((flags.tlsCert === undefined) !== (flags.tlsKey === undefined)) {
    throw new Failure('invalid', '--tls-cert and --tls-key go together; give both or none');
  }
  const tls =
    flags.tlsCert === undefined || flags.tlsKey === undefined
      ? null
      : { cert: readPem(flags.tlsCert, '--tls-cert'), key: readPem(flags.tlsKey, '--tls-key') };
  if (tls === null && !isLoopback(flags.host) && flags.insecureHttp !== true) {
    throw new Failure(
      'invalid',
      `${flags.host} can be reached from outside, and tokens would travel unencrypted; give --tls-cert and --tls-key, or --insecure-http behind a proxy that does TLS`,
    );
  }
  const proxies = flags.trustProxy?.split(',').map((proxy) => proxy.trim());
  if (proxies?.every(isNetwork) === false) {
    throw new Failure(
      'invalid',
      '--trust-proxy takes addresses or networks, such as 10.0.0.7,192.168.0.0/16',
    );
  }
  return Object.freeze({
    data: flags.data,
    ...(flags.databaseUrl === undefined ? {} : { databaseUrl: flags.databaseUrl }),
    media: readMediaConfig(flags),
    host: flags.host,
    port: flags.port,
    workers: flags.workers,
    tls,
    rateLimit: flags.rateLimit === false ? null : flags.rateLimit,
    redis: flags.redisUrl === undefined ? null : readRedisUrl(flags.redisUrl),
    trustProxy: proxies?.join(',') ?? null,
    mostUpload: flags.maxUploadMib * 1_048_576,
    publicUrl: flags.publicUrl === undefined ? null : readPublicUrl(flags.publicUrl),
    demo: flags.demo ?? false,
  });
}

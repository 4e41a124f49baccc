import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure } from '../../errors.ts';

/** What programs are given of the environment: PATH above all. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** PostgreSQL's own programs for dumps. */
export type Tool = 'pg_dump' | 'pg_restore';

/** A program that was found, with its version ("15.18"). */
export interface FoundTool {
  readonly tool: Tool;
  readonly version: string;
}

const majorOf = (version: string): number => Number.parseInt(version, 10);
/** For a program to tell its version, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Finds a program in PATH that is new enough for a server. Gives why there is none that can be used where there is none.
 * @param server the server's version, or that of the program that wrote a dump
 */
export async function findTool(tool: Tool, server: string, env: Environment): Promise<FoundTool | string> {
  try {
    const { stdout } = await promisify(execFile)(tool, ['--version'], { env: { ...env }, timeout: PATIENCE });
    const version = /\b(\d+(\.\d+)*)/.exec(stdout)?.[1] ?? '';
    if (majorOf(version) >= majorOf(server)) return { tool, version };
    return `${tool} ${version} is older than PostgreSQL ${majorOf(server)}`;
  } catch {
    return `there is no ${tool} in PATH`;
  }
}

/** What libpq knows of what a URL can say; it refuses what else node-postgres takes. */
const KNOWN = [
  ...['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'options', 'application_name'],
  ...['host', 'port', 'target_session_attrs', 'connect_timeout'],
];

/** A database's URL as libpq takes it, and apart from it the password, which a list of processes would show. */
export function toLibpq(
  url: string,
  { version }: Pick<FoundTool, 'version'>,
): { readonly url: string; readonly password: string | null } {
  const [, scheme = '', user = '', password, place = '', query = ''] =
    /^(postgres(?:ql)?:\/\/)(?:([^:@/?#]*)(?::([^@/?#]*))?@)?([^?#]*)(?:\?([^#]*))?/.exec(url) ?? [];
  const given = new URLSearchParams(query.replaceAll('+', '%20'));
  const kept = new URLSearchParams([...given].filter(([name]) => KNOWN.includes(name)));
  const mode = given.get('sslmode');
  // As the URL is read everywhere else: what is safe is checked whole.
  if (mode === 'no-verify') kept.set('sslmode', 'require');
  else if (mode !== null && mode !== 'disable') {
    kept.set('sslmode', 'verify-full');
    if (!given.has('sslrootcert') && majorOf(version) >= 16) kept.set('sslrootcert', 'system');
  }
  const told = kept.toString().replaceAll('+', '%20');
  const secret = password ?? given.get('password');
  return {
    url: `${scheme}${user === '' ? '' : `${user}@`}${place}${told === '' ? '' : `?${told}`}`,
    password: secret === null ? null : decodeURIComponent(secret),
  };
}

/** Runs a program on a database to its end. @throws Failure unavailable where it fails */
export async function runTool(
  found: FoundTool,
  databaseUrl: string | null,
  args: readonly string[],
  env: Environment,
): Promise<void> {
  const place = databaseUrl === null ? null : toLibpq(databaseUrl, found);
  const child = spawn(found.tool, [...(place === null ? [] : [`--dbname=${place.url}`]), ...args], {
    env: { ...env, ...(place?.password == null ? {} : { PGPASSWORD: place.password }) },
    // What it says of errors may quote rows.
    stdio: 'ignore',
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  }).catch(() => null);
  if (code === 0) return;
  throw new Failure(
    'unavailable',
    `${found.tool} failed; nothing was changed: check that the disk has room and the user its rights, or take the form of backup --portable`,
  );
}

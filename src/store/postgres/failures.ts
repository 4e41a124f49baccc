import pg from 'pg';
import { Failure } from '../../errors.ts';

/** Transactions that met another one: run again, they find what it left. */
const AGAIN = new Set(['40001', '40P01', '23505']);
/** What Node and PostgreSQL say where the server is away, starts, ends or takes nobody in. */
const AWAY = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  '57P01',
  '57P02',
  '57P03',
  '57P05',
  '53300',
  '25006',
]);
/** A statement or a lock that took too long, and transactions that kept meeting others. */
const BUSY = new Set(['57014', '55P03', '40001', '40P01']);
/** Tables and columns that are there already, or not those that they should be. */
const FOREIGN = new Set(['42P07', '42701', '42703', '42804']);
/** What node-postgres says, without a code, of connections. */
const LOST =
  /^(Connection terminated|timeout expired|Query read timeout|Client (was closed|has encountered))/;
const NO_CONNECTION = 'timeout exceeded when trying to connect';

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Whether a statement took longer than it may: the server ended it, or said nothing for as long. */
export function isStatementTimeout(error: unknown): boolean {
  return codeOf(error) === '57014' || (error instanceof Error && error.message === 'Query read timeout');
}

/** Whether every connection of a pool was in use for too long. */
export function isPoolTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === NO_CONNECTION;
}

/** Whether an error, or what caused it, says that a transaction may do better when it is run again. */
export function isWorthAnotherTry(error: unknown): boolean {
  return AGAIN.has(codeOf(error instanceof Failure ? error.cause : error));
}

/** Whether an error says that the connection is gone, or of no more use. */
export function isLost(error: unknown): boolean {
  const cause = error instanceof Failure ? error.cause : error;
  const code = codeOf(cause);
  return AWAY.has(code) || code.startsWith('08') || (cause instanceof Error && LOST.test(cause.message));
}

/** Whether a server that takes connections takes no writes: a standby, or what became one. */
export function isReadOnly(error: unknown): boolean {
  return codeOf(error instanceof Failure ? error.cause : error) === '25006';
}

/**
 * Whether a statement was taken for prepared that is not: the one sent before it, which was to prepare it,
 * was ended before it had.
 */
export function isUnprepared(error: unknown): boolean {
  return codeOf(error) === '26000';
}

/** What is said of a schema whose tables are not ours; null where that is not what is wrong. */
export function explainForeign(error: unknown): Failure | null {
  if (!FOREIGN.has(codeOf(error))) return null;
  return new Failure(
    'precondition',
    'there are tables of another program in this schema; give another database, or another schema by options=-csearch_path%3DNAME in its URL',
    { cause: error },
  );
}

/** PostgreSQL's failures in our words; what is not known here is a bug and passes through. */
export function explain(error: unknown, shown: string): unknown {
  if (error instanceof Failure || !(error instanceof Error)) return error;
  const unavailable = (message: string, retryAfter = 1) =>
    new Failure('unavailable', message, { retryAfter, cause: error });
  const code = codeOf(error);
  if (isLost(error)) {
    return unavailable(`cannot reach PostgreSQL at ${shown}; is it running, and does it take connections?`);
  }
  if (isPoolTimeout(error)) {
    return unavailable('every connection to the database is in use; try again in a moment');
  }
  if (BUSY.has(code) || isUnprepared(error)) {
    return unavailable('the database is busy; try again in a moment');
  }
  if (code.startsWith('53')) {
    return unavailable(`PostgreSQL at ${shown} has run out of disk space or memory; make room`, 30);
  }
  if (code.startsWith('28') || code === '42501') {
    return unavailable(
      `PostgreSQL at ${shown} refuses this user; check the database URL and the user's rights`,
      30,
    );
  }
  if (code === '3D000' || code === '3F000') {
    return unavailable(
      `there is no such database or schema at ${shown}; make it, or mend the database URL`,
      30,
    );
  }
  if (code === '54000') {
    return new Failure('invalid', 'a text is too long for an index of PostgreSQL, which takes 2700 bytes', {
      cause: error,
    });
  }
  if (code === 'XX001' || code === 'XX002') {
    return unavailable(`the database at ${shown} is damaged; restore a backup`, 30);
  }
  // Those of TLS: a certificate that is not trusted, a server without any.
  if (!(error instanceof pg.DatabaseError) && /certificate|SSL|TLS/i.test(`${code} ${error.message}`)) {
    return unavailable(
      `no safe connection to PostgreSQL at ${shown}; check sslmode and sslrootcert in its URL`,
      30,
    );
  }
  return error;
}

/** What PostgreSQL says of settings that a new connection asks for, and that it does not take. */
const NO_SETTING = new Set(['22023', '22P02', '42601', '42704', '55P02']);

/** Failures of connecting in our words; these alone may come of what the URL says of settings. */
export function explainConnecting(error: unknown, shown: string): unknown {
  if (!NO_SETTING.has(codeOf(error))) return explain(error, shown);
  return new Failure(
    'precondition',
    `PostgreSQL at ${shown} does not take a setting of the database URL; check statement_timeout, lock_timeout and options in it`,
    { cause: error },
  );
}

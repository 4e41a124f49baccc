import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Failure } from '../../errors.ts';
import type { TableName } from '../moving/tables.ts';

/** What a backup is made of: a SQLite file, what pg_dump writes, or lines of JSON that every engine can read. */
export type BackupForm = 'sqlite' | 'pg_dump' | 'portable';

/** What is known of a backup. */
export interface BackupFacts {
  readonly form: BackupForm;
  /** The version of the program that made it, and when, in milliseconds since 1970 UTC. */
  readonly version: string;
  readonly at: number;
  readonly migrations: readonly string[];
  /** The rows of each table. */
  readonly rows: Readonly<Partial<Record<TableName, number>>>;
}

/** The line at the end of a backup that is in an engine's own form. Such files bear what comes behind them. */
export interface Seal extends BackupFacts {
  /** For `pg_dump`: the schema that it is of, which it goes back to. */
  readonly schema?: string;
  /** For `pg_dump`: its version. */
  readonly tool?: string;
  /** Of what stands before the line. */
  readonly bytes: number;
  readonly sha256: string;
}

const SEAL = '\nrollcall-backup ';
/** The longest line that a seal is. */
const MOST_SEAL = 16_384;

export function damaged(path: string, cause?: unknown): Failure {
  return new Failure('invalid', `${path} is cut off, altered or no backup; take another one`, { cause });
}

/** Node's errors of a file in our words. */
export function explainFile(error: unknown, path: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'ENOENT') {
    return new Failure('not_found', `there is no ${path}, or no folder for it`, { cause: error });
  }
  if (typeof code === 'string' && /^(ENOSPC|EDQUOT|EIO|EFBIG)$/.test(code)) {
    return new Failure('unavailable', `cannot write ${path}: the disk is full or failing; make room`, {
      cause: error,
    });
  }
  if (typeof code === 'string' && /^(EACCES|EPERM|EROFS|EISDIR|ENOTDIR)$/.test(code)) {
    return new Failure('unavailable', `cannot use ${path}; check the path and its permissions`, {
      cause: error,
    });
  }
  return error;
}

/** The SHA-256 of the first bytes of a file, in hex. @param onRead told of bytes as they are read */
export async function hashFile(
  path: string,
  bytes: number,
  onRead: (bytes: number) => void = () => {},
): Promise<string> {
  const hash = createHash('sha256');
  if (bytes > 0) {
    for await (const chunk of createReadStream(path, { end: bytes - 1 })) {
      hash.update(chunk);
      onRead(chunk.length);
    }
  }
  return hash.digest('hex');
}

/** Seals a file: puts the line at its end, and has the disk keep it. */
export async function sealFile(
  path: string,
  facts: Omit<Seal, 'bytes' | 'sha256'>,
  onRead: (bytes: number) => void,
): Promise<Seal> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const seal = { ...facts, bytes: size, sha256: await hashFile(path, size, onRead) };
    await file.write(`${SEAL}${JSON.stringify(seal)}\n`, size);
    await file.sync();
    return seal;
  } finally {
    await file.close();
  }
}

/** Reads the line at a file's end. @throws Failure invalid where there is none */
export async function readSeal(path: string): Promise<Seal> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - MOST_SEAL);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const at = buffer.subarray(0, bytesRead).lastIndexOf(SEAL);
    const line = buffer.subarray(at + SEAL.length, bytesRead).toString('utf8');
    if (at < 0 || !line.endsWith('}\n')) throw damaged(path);
    const seal = JSON.parse(line) as Seal;
    if (seal.bytes !== from + at || !Array.isArray(seal.migrations)) throw damaged(path);
    return seal;
  } catch (error) {
    throw error instanceof SyntaxError ? damaged(path, error) : error;
  } finally {
    await file.close();
  }
}

/** What a file is, by its first bytes. @throws Failure invalid where it is no backup */
export async function tellForm(path: string): Promise<BackupForm> {
  const file = await open(path, 'r').catch((error) => {
    throw explainFile(error, path);
  });
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    const head = buffer.subarray(0, bytesRead).toString('latin1');
    if (head.startsWith('SQLite format 3\0')) return 'sqlite';
    if (head.startsWith('PGDMP')) return 'pg_dump';
    if (head.startsWith('\x1f\x8b')) return 'portable';
    throw damaged(path);
  } catch (error) {
    throw explainFile(error, path);
  } finally {
    await file.close();
  }
}

/**
 * Makes a file that is whole or not there: it is written beside its place, for its owner alone.
 * @throws Failure conflict where there is one already
 */
export async function writeWhole<T>(path: string, write: (partial: string) => Promise<T>): Promise<T> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) throw new Failure('conflict', `${path} is there already; give another name`);
  const partial = `${path}.partial`;
  const remove = async () => {
    for (const end of ['', '-journal', '-wal', '-shm']) await rm(`${partial}${end}`, { force: true });
  };
  try {
    // What a killed process left.
    await remove();
    await (await open(partial, 'wx', 0o600)).close();
    const written = await write(partial);
    await moveThrough(partial, path);
    return written;
  } catch (error) {
    await remove().catch(() => {});
    throw explainFile(error, path);
  }
}

/** Moves a file to its place, and has the disk keep both. */
export async function moveThrough(from: string, to: string): Promise<void> {
  await syncPath(from);
  await rename(from, to);
  await syncPath(dirname(to));
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

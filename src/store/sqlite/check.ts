import { existsSync, rmSync } from 'node:fs';
import Database from 'better-sqlite3';
import { Failure } from '../../errors.ts';
import { explain } from './connection.ts';

/**
 * Makes one whole file of a database that nobody else has open, and reads all of it to see that it is sound.
 * @throws Failure unavailable where it is damaged
 */
export function closeAndCheck(path: string): void {
  const db = new Database(path);
  try {
    // What stands in a log beside it is taken in, and no other file belongs to it any more.
    const mode = db.pragma('journal_mode = delete', { simple: true });
    const integrity = db.pragma('integrity_check(1)', { simple: true });
    const orphan = db.pragma('foreign_key_check', { simple: true });
    if (mode !== 'delete' || integrity !== 'ok' || orphan !== undefined) {
      throw new Failure('unavailable', `${path} is damaged: its checks failed`);
    }
  } catch (error) {
    throw explain(error, path);
  } finally {
    db.close();
  }
}

/** Makes sure that a file may be replaced: nobody has it open, and it has no log beside it. @throws Failure conflict */
export function freeFile(path: string): void {
  if (!existsSync(path)) return;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { timeout: 1000 });
    if (db.pragma('journal_mode = delete', { simple: true }) === 'delete') return;
    throw new Failure('conflict', 'another process has this store open; stop it first');
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof Database.SqliteError && /^SQLITE_(BUSY|LOCKED)/.test(error.code)) {
      throw new Failure('conflict', 'another process has this store open; stop it first', { cause: error });
    }
    // It is damaged, and there is nothing to be taken in: a log beside it would spoil what takes its place.
    for (const end of ['-wal', '-shm', '-journal']) rmSync(`${path}${end}`, { force: true });
  } finally {
    db?.close();
  }
}

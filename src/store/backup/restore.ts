import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import type { Reader } from '../engine.ts';
import { foreignTables, readApplied } from '../migrations/index.ts';
import { TABLES } from '../moving/tables.ts';
import { isEmpty } from '../moving/unfinished.ts';
import { openEngine, type StorePlace, storePath } from '../open.ts';
import type { Environment } from '../postgres/tools.ts';
import { FileSnapshot } from '../sqlite/snapshot.ts';
import { type OnShare, readThrough } from './create.ts';
import { type BackupFacts, damaged, hashFile, readSeal, tellForm } from './file.ts';
import { intoDatabase } from './into-database.ts';
import { intoFolder } from './into-folder.ts';
import { knownMigrations } from './load.ts';
import { restoreDump } from './pg-dump.ts';

export interface RestoreOptions {
  /** Whether what is there may be replaced. */
  readonly force: boolean;
  /** Whether the backup is only to be read and checked. */
  readonly dryRun: boolean;
  readonly now: () => number;
  readonly onShare: OnShare;
  /** What PostgreSQL's own programs are found with. */
  readonly env: Environment;
}

/** What lies in the place that a backup is restored into. */
export type TargetContent = 'nothing' | 'a store' | 'something damaged';

export interface RestoreReport {
  readonly facts: BackupFacts;
  readonly target: TargetContent;
}

/**
 * Puts a backup in the place of a store. It is read and checked whole before anything that is there is touched,
 * and takes its place at once, so that a crash leaves what was there, or all of the backup.
 * @throws Failure
 */
export async function restoreBackup(
  path: string,
  place: StorePlace,
  options: RestoreOptions,
): Promise<RestoreReport> {
  const form = await tellForm(path);
  const facts = await readBackup(path, form === 'portable', share(options.onShare, 0, 0.3));
  if (facts.form !== form) throw damaged(path);
  knownMigrations(facts.migrations, 'backup');
  const target = await lookAt(place);
  if (options.dryRun) return { facts, target };
  if (target !== 'nothing' && !options.force) {
    throw new Failure(
      'conflict',
      `there is ${target} already; give another place, or replace it with --force: nothing of it is kept`,
    );
  }
  const rest = { facts, now: options.now, onShare: share(options.onShare, 0.3, 1) };
  if (place.databaseUrl === undefined) await intoFolder(path, place.data, rest);
  else if (form === 'pg_dump') await restoreDump(path, place.databaseUrl, { ...rest, env: options.env });
  else await intoDatabase(path, place.databaseUrl, rest);
  return { facts, target };
}

const share =
  (onShare: OnShare, from: number, to: number): OnShare =>
  (done, doing) =>
    onShare(from + (to - from) * done, doing);

/** Reads all of a backup. @throws Failure invalid where it is not as it was written */
async function readBackup(path: string, isPortable: boolean, onShare: OnShare): Promise<BackupFacts> {
  const { size } = await stat(path);
  if (isPortable) {
    let rows = 0;
    return readThrough(path, (more) => {
      rows += more;
      // How many there are stands at the end.
      onShare(1 - 1 / (1 + rows / 1e6), 'checking the backup');
    });
  }
  const seal = await readSeal(path);
  let read = 0;
  const sha256 = await hashFile(path, seal.bytes, (bytes) => {
    read += bytes;
    onShare(read / size, 'checking the backup');
  });
  if (sha256 !== seal.sha256) throw damaged(path);
  return seal;
}

/** @throws Failure precondition where it is another program's, which is never replaced */
async function lookAt(place: StorePlace): Promise<TargetContent> {
  if (place.databaseUrl === undefined) {
    if (!existsSync(storePath(place.data))) return 'nothing';
    try {
      const found = new FileSnapshot(storePath(place.data));
      try {
        return await lookInto(found, "select name from sqlite_schema where type = 'table'", true);
      } finally {
        await found.close();
      }
    } catch (error) {
      if (error instanceof Failure && error.kind === 'unavailable') return 'something damaged';
      throw error;
    }
  }
  const { engine } = await openEngine({ ...place, cacheMiB: 8 });
  try {
    const sql = 'select relname::text from pg_class where relnamespace = current_schema()::regnamespace';
    return await lookInto(engine, sql, false);
  } finally {
    await engine.close();
  }
}

/**
 * @param tables what gives the names of the tables that are there
 * @param isAll whether all of them go where the place is taken, or only those that have our names
 */
async function lookInto(store: Reader, tables: string, isAll: boolean): Promise<TargetContent> {
  if ((await readApplied(store)).length === 0) {
    const there = await store.read({ name: 'restore.tables', sql: tables, parameters: [] }, {});
    const ours: readonly string[] = TABLES;
    if (there.some(([name]) => isAll || ours.includes(String(name)))) throw foreignTables();
  }
  return (await isEmpty(store)) ? 'nothing' : 'a store';
}

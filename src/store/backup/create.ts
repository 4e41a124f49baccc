import { stat } from 'node:fs/promises';
import { Failure } from '../../errors.ts';
import { readApplied, UNFINISHED } from '../migrations/index.ts';
import { countRows } from '../moving/copy.ts';
import { openSnapshot } from '../moving/places.ts';
import type { Snapshot } from '../moving/ports.ts';
import type { TableName } from '../moving/tables.ts';
import type { StorePlace } from '../open.ts';
import type { Environment } from '../postgres/tools.ts';
import { closeAndCheck } from '../sqlite/check.ts';
import { FileSnapshot } from '../sqlite/snapshot.ts';
import { type BackupFacts, type BackupForm, hashFile, sealFile, writeWhole } from './file.ts';
import { knownMigrations } from './load.ts';
import { findDump, writeDump } from './pg-dump.ts';
import { type OnRows, PortableReader, writePortable } from './portable.ts';

/** Told of how much is done, from 0 to 1, and what is being done. */
export type OnShare = (share: number, doing: string) => void;

export interface BackupOptions {
  /** Whether the form is to be one that every engine reads. */
  readonly portable: boolean;
  /** The version of this program. */
  readonly version: string;
  readonly now: () => number;
  readonly onShare: OnShare;
  /** What PostgreSQL's own programs are found with. */
  readonly env: Environment;
}

export interface BackupReport extends BackupFacts {
  /** Why it is not in the form of the engine's own, where that was not asked for. */
  readonly why: string | null;
  readonly bytes: number;
  /** Of the whole file, in hex. */
  readonly sha256: string;
}

/**
 * Writes a backup of a store into a file, as the store is when it starts, while others write; then reads what was
 * written and checks it. The file is whole or not there.
 * @throws Failure
 */
export async function createBackup(
  place: StorePlace,
  path: string,
  options: BackupOptions,
): Promise<BackupReport> {
  let why: string | null = null;
  const facts = await writeWhole(path, async (partial) => {
    const snapshot = await openSnapshot(place);
    const { onShare, env } = options;
    try {
      if (snapshot instanceof FileSnapshot && !options.portable) {
        const found = await readFacts(snapshot, 'sqlite', options);
        await writeFileForm(partial, snapshot, found, onShare);
        return found;
      }
      const url = options.portable ? undefined : place.databaseUrl;
      const dump = url === undefined ? null : await findDump(snapshot, env);
      if (url !== undefined && dump !== null && typeof dump !== 'string') {
        const found = await readFacts(snapshot, 'pg_dump', options);
        await writeDump(partial, url, snapshot, dump, { facts: found, env, onShare });
        return found;
      }
      why = typeof dump === 'string' ? dump : null;
      const found = await readFacts(snapshot, 'portable', options);
      await writePortableForm(partial, snapshot, found, onShare);
      return found;
    } finally {
      await snapshot.close();
    }
  });
  const { size } = await stat(path);
  return { ...facts, why, bytes: size, sha256: await hashFile(path, size) };
}

async function readFacts(
  snapshot: Snapshot,
  form: BackupForm,
  { version, now }: BackupOptions,
): Promise<BackupFacts> {
  const applied = await readApplied(snapshot);
  if (applied[0]?.number === UNFINISHED) {
    throw new Failure(
      'precondition',
      'this store is an unfinished copy; finish it first with rollcall db copy',
    );
  }
  const migrations = applied.map(({ name }) => name);
  knownMigrations(migrations, 'store');
  const rows = Object.fromEntries(await countRows(snapshot, await snapshot.tables()));
  return { form, version, at: now(), migrations, rows };
}

/** The file as it is, page by page: copied, checked, and sealed with its checksum. */
async function writeFileForm(
  partial: string,
  snapshot: FileSnapshot,
  facts: BackupFacts,
  onShare: OnShare,
): Promise<void> {
  await snapshot.backUp(partial, (done, total) => onShare((0.6 * done) / Math.max(1, total), 'copying'));
  onShare(0.6, 'checking');
  closeAndCheck(partial);
  await checkCounts(partial, facts);
  const { size } = await stat(partial);
  let read = 0;
  await sealFile(partial, facts, (bytes) => {
    read += bytes;
    onShare(0.8 + (0.2 * read) / size, 'sealing');
  });
}

/** @throws Failure unavailable where a file has other rows than it should have */
export async function checkCounts(path: string, { rows }: BackupFacts): Promise<void> {
  const copy = new FileSnapshot(path);
  try {
    const there = await countRows(copy, await copy.tables());
    const wanted = Object.entries(rows);
    if (
      wanted.length === there.size &&
      wanted.every(([name, count]) => there.get(name as TableName) === count)
    )
      return;
    throw new Failure('unavailable', `${path} has not the rows that it should have; try again`);
  } finally {
    await copy.close();
  }
}

async function writePortableForm(
  partial: string,
  snapshot: Snapshot,
  facts: BackupFacts,
  onShare: OnShare,
): Promise<void> {
  const total = 2 * Object.values(facts.rows).reduce((sum, each) => sum + each, 0);
  let done = 0;
  const onRows: OnRows = (rows, doing) => {
    done += rows;
    onShare(done / Math.max(1, total), doing);
  };
  await writePortable(partial, snapshot, facts, onRows);
  await readThrough(partial, onRows);
}

/** Reads a portable backup to its end. @throws Failure invalid where anything of it is not as it was written */
export async function readThrough(path: string, onRows: OnRows): Promise<BackupFacts> {
  const reader = await PortableReader.open(path);
  try {
    for (const table of await reader.tables()) {
      for await (const rows of reader.rows(table)) onRows(rows.length, `checking ${table.name}`);
    }
    await reader.finish();
    return reader.head;
  } finally {
    await reader.close();
  }
}

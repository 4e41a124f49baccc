import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../../errors.ts';
import { migrate } from '../migrations/index.ts';
import { openTarget } from '../moving/places.ts';
import { makeFolder, storePath } from '../open.ts';
import { closeAndCheck, freeFile } from '../sqlite/check.ts';
import { checkCounts, type OnShare } from './create.ts';
import { type BackupFacts, explainFile, moveThrough, readSeal } from './file.ts';
import { checkRows, knownMigrations, loadRows } from './load.ts';
import { type OnRows, PortableReader } from './portable.ts';

/** How a backup that was checked is put into its place. */
export interface Restoring {
  readonly facts: BackupFacts;
  readonly now: () => number;
  readonly onShare: OnShare;
}

/** Makes the store's file in a folder beside its place, checks it, and moves it there. @throws Failure */
export async function intoFolder(path: string, data: string, restoring: Restoring): Promise<void> {
  if (restoring.facts.form === 'pg_dump') {
    throw new Failure(
      'invalid',
      'this backup was made by pg_dump, and goes into PostgreSQL alone; from there rollcall db copy makes a file of it',
    );
  }
  makeFolder(data);
  const beside = join(data, 'restoring');
  try {
    await rm(beside, { recursive: true, force: true });
    await mkdir(beside, { mode: 0o700 });
    const made = storePath(beside);
    if (restoring.facts.form === 'sqlite') await copyFile(path, made, restoring);
    else await loadFile(path, beside, restoring);
    closeAndCheck(made);
    await checkCounts(made, restoring.facts);
    freeFile(storePath(data));
    await moveThrough(made, storePath(data));
  } catch (error) {
    throw explainFile(error, data);
  } finally {
    await rm(beside, { recursive: true, force: true }).catch(() => {});
  }
}

/** The backup without its seal. */
async function copyFile(path: string, to: string, { onShare }: Restoring): Promise<void> {
  const { bytes } = await readSeal(path);
  let copied = 0;
  const source = createReadStream(path, { end: bytes - 1 });
  source.on('data', (chunk) => {
    copied += chunk.length;
    onShare((0.8 * copied) / bytes, 'copying');
  });
  await pipeline(source, createWriteStream(to, { mode: 0o600, flags: 'wx' }));
}

async function loadFile(path: string, folder: string, { facts, now, onShare }: Restoring): Promise<void> {
  const onRows = countRows(facts, onShare);
  const reader = await PortableReader.open(path);
  try {
    const target = await openTarget({ data: folder }, now);
    try {
      await migrate(target.engine, target.flavor, now(), knownMigrations(facts.migrations, 'backup'));
      const made = await target.snapshot();
      const tables = await made.tables().finally(() => made.close());
      const totals = await loadRows(reader, tables, (work) => target.load(work), onRows);
      await reader.finish();
      const written = await target.snapshot();
      await checkRows(written, tables, totals, onRows).finally(() => written.close());
    } finally {
      await target.close();
    }
  } finally {
    await reader.close();
  }
}

/** Tells how much of all rows is written and read again. */
export function countRows({ rows }: BackupFacts, onShare: OnShare): OnRows {
  const total = 2 * Object.values(rows).reduce((sum, each) => sum + each, 0);
  let done = 0;
  return (more, doing) => {
    done += more;
    onShare(done / Math.max(1, total), doing);
  };
}

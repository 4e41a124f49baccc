import { migrate } from '../migrations/index.ts';
import { TABLES } from '../moving/tables.ts';
import { readPostgresUrl, SCHEMA_LOCK } from '../postgres/place.ts';
import { FileSnapshot } from '../sqlite/snapshot.ts';
import { countRows, type Restoring } from './into-folder.ts';
import { asEngine, checkRows, knownMigrations, loadRows, renewEpochsOf } from './load.ts';
import { PortableReader } from './portable.ts';

/** Everything that is ours in a schema. */
const OURS = [...TABLES.toReversed(), 'migrations', 'moving_progress'];

/** Loads a backup into a database in one transaction: all of it is there at its end, or nothing has changed. */
export async function intoDatabase(path: string, url: string, restoring: Restoring): Promise<void> {
  const { facts, now, onShare } = restoring;
  const { DatabaseSnapshot, PostgresSession, transact } = await import('../postgres/session.ts');
  const onRows = countRows(facts, onShare);
  const source = facts.form === 'sqlite' ? new FileSnapshot(path) : await PortableReader.open(path);
  try {
    const session = await PostgresSession.open(readPostgresUrl(url));
    try {
      await transact(session, async (loading) => {
        // Whoever starts on the database waits meanwhile.
        await session.query(`select pg_advisory_xact_lock(${SCHEMA_LOCK})`);
        await session.query(`drop table if exists ${OURS.join(', ')}`);
        await migrate(asEngine(loading), 'postgres', now(), knownMigrations(facts.migrations, 'backup'));
        const made = new DatabaseSnapshot(session);
        const tables = await made.tables();
        const totals = await loadRows(source, tables, (work) => work(loading), onRows);
        if (source instanceof PortableReader) await source.finish();
        await checkRows(made, tables, totals, onRows);
        await renewEpochsOf(facts, loading);
      });
    } finally {
      await session.close();
    }
  } finally {
    await source.close();
  }
}

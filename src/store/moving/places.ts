import { existsSync } from 'node:fs';
import { Failure } from '../../errors.ts';
import type { Transaction } from '../engine.ts';
import { migrate } from '../migrations/index.ts';
import { openEngine, type StorePlace, storePath } from '../open.ts';
import { readPostgresUrl } from '../postgres/place.ts';
import { FileSnapshot } from '../sqlite/snapshot.ts';
import { inserterOf, Statements } from '../statements.ts';
import type { Loading, Snapshot, Target } from './ports.ts';

const CACHE_MIB = 128;

/** Takes hold of the state that a store has now. @throws Failure not_found, unavailable */
export async function openSnapshot({ data, databaseUrl }: StorePlace): Promise<Snapshot> {
  if (databaseUrl !== undefined) {
    const { DatabaseSnapshot } = await import('../postgres/session.ts');
    return DatabaseSnapshot.open(readPostgresUrl(databaseUrl));
  }
  if (!existsSync(storePath(data))) {
    throw new Failure(
      'not_found',
      `there is no store in ${data}; name the folder that rollcall.sqlite is in`,
    );
  }
  return new FileSnapshot(storePath(data));
}

/** Opens a store that rows are to be loaded into, as it is. @throws Failure */
export async function openTarget(place: StorePlace, now: () => number): Promise<Target> {
  const opened = await openEngine({ ...place, cacheMiB: CACHE_MIB });
  const { engine, flavor, alone, settle } = opened;
  const statements = new Statements(flavor);
  const common = {
    flavor,
    engine,
    statements,
    prepare: (work: () => Promise<void>) =>
      alone(async () => {
        await migrate(engine, flavor, now());
        await settle();
        await work();
      }),
    snapshot: () => openSnapshot(place),
  };
  if (place.databaseUrl === undefined) {
    const loading = (transaction: Transaction): Loading => ({
      ...transaction,
      append: (table, rows) =>
        transaction.insert(inserterOf(statements, table.name, table.columns), rows.flat()),
    });
    return {
      ...common,
      load: (work) => engine.transaction([], (transaction) => work(loading(transaction))),
      close: () => engine.close(),
    };
  }
  try {
    const { PostgresSession, transact } = await import('../postgres/session.ts');
    const session = await PostgresSession.open(readPostgresUrl(place.databaseUrl));
    return {
      ...common,
      load: (work) => transact(session, work),
      async close() {
        await session.close();
        await engine.close();
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

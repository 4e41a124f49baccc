import { Failure } from '../errors.ts';
import { openEngine, type StorePlace } from './open.ts';
import { distribute } from './postgres/sharding.ts';
import { readSchemaState } from './schema-state.ts';

const SMALL_CACHE_MIB = 8;

/**
 * Spreads a PostgreSQL store over the nodes of Citus; what is spread already is left alone.
 * @param dryRun tells what would be run, and changes nothing
 * @returns the statements that were run
 * @throws Failure precondition where there is no Citus, or the store is not up to date
 */
export async function distributeStore(place: StorePlace, dryRun: boolean): Promise<readonly string[]> {
  const { pending, refusal } = await readSchemaState(place);
  if (refusal !== null) throw new Failure('precondition', refusal);
  if (pending.length > 0) {
    throw new Failure('precondition', 'the store is not up to date; run first: rollcall db migrate');
  }
  const { engine, alone } = await openEngine({ ...place, cacheMiB: SMALL_CACHE_MIB });
  try {
    let run: readonly string[] = [];
    await alone(async () => {
      run = await distribute(engine, dryRun);
    });
    return run;
  } finally {
    await engine.close();
  }
}

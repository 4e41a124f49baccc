import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import { type Batch, decodeBatches, type Plan, planBatch, writePlan } from './batch.ts';
import type { UserFormat } from './format.ts';
import { type ImportCounts, Overtaken, type UserWriter, type UserWriting } from './ports.ts';
import type { JsonObject } from './user.ts';

/** One row of a file: its JSON, or why it could not be read. Lines count from 1. */
export type SourceRow =
  | { readonly line: number; readonly text: string; readonly value: JsonObject }
  | {
      readonly line: number;
      readonly text: string;
      readonly problem: string;
      /** What was read, where the text cannot say it: it is not UTF-8. */
      readonly bytes?: Buffer;
    };

/** A row that was not taken in, and why. The reason holds no value of the row. */
export interface Refusal {
  readonly row: SourceRow;
  readonly reason: string;
}

export interface ImportOptions {
  readonly contactCenter: ContactCenter;
  /** The file's format, found from its first row. */
  readonly formatOf: (first: JsonObject) => UserFormat;
  readonly dialects: readonly string[];
  readonly now: () => number;
  readonly newId: () => string;
  /** Rows that are written in one transaction; 8000 where it is not given. */
  readonly batchSize?: number;
  /** Works everything out and keeps nothing. */
  readonly dryRun: boolean;
  /** Told of each refused row, in order. */
  readonly onRefused: (refusal: Refusal) => void | Promise<void>;
  /** Told after each batch was kept. */
  readonly onProgress: (counts: ImportCounts) => void;
}

/** Rows of one transaction: long enough to share its cost, short enough to let other writers in. */
const BATCH = 8000;

class DryRunOver extends Error {}

/** Loads rows. What is good is kept, batch by batch; each bad row is told and stops nothing else. */
export async function importUsers(
  writer: UserWriter,
  rows: AsyncIterable<SourceRow>,
  options: ImportOptions,
): Promise<ImportCounts> {
  const { contactCenter } = options;
  const total = { made: 0, changed: 0, unchanged: 0, refused: 0 };
  const batches = decodeBatches(rows, options.batchSize ?? BATCH, options);
  const tell = async ({ tally, refusals }: Plan) => {
    for (const outcome of Object.keys(total) as (keyof ImportCounts)[]) total[outcome] += tally[outcome];
    for (const refusal of refusals) await options.onRefused(refusal);
    options.onProgress({ ...total });
  };
  /** Works a batch out in the transaction that writes it: nobody else can write in between. */
  const load = async (writing: UserWriting, batch: Batch): Promise<Plan> => {
    const plan = await planBatch(writing, batch, options, null);
    await writePlan(writing, plan);
    return plan;
  };

  if (options.dryRun) {
    let hasRun = false;
    try {
      await writer.write(contactCenter, async (writing) => {
        // The rows were read and told already.
        if (hasRun) throw new Failure('unavailable', 'the store is busy with another writer; try again');
        hasRun = true;
        for await (const batch of batches) await tell(await load(writing, batch));
        throw new DryRunOver();
      });
    } catch (error) {
      if (!(error instanceof DryRunOver)) throw error;
    }
    return total;
  }

  /** Keeps a batch, as it was planned or else anew, and tells of it. Gives the plan that was kept. */
  const keep = async (batch: Batch, planned: Plan | null): Promise<Plan> => {
    const kept =
      (planned === null ? null : await keepPlanned(writer, contactCenter, planned)) ??
      (await writer.write(contactCenter, (writing) => load(writing, batch)));
    await tell(kept);
    return kept;
  };
  // While one batch is written, the next is read and worked out.
  let last: Plan | null = null;
  let keeping: Promise<Plan | null> = Promise.resolve(null);
  try {
    for await (const batch of batches) {
      const planned: Plan = await planBatch(writer.reading(contactCenter), batch, options, last);
      if ((await keeping) === last) {
        last = planned;
        keeping = keep(batch, planned);
        // It is awaited later; until then its failure must not count as one that nobody sees.
        keeping.catch(() => {});
      } else {
        // What this was worked out from was itself worked out anew.
        last = await keep(batch, null);
        keeping = Promise.resolve(last);
      }
    }
  } finally {
    await keeping;
  }
  return total;
}

/** Writes a plan; gives null, with nothing written, where it no longer holds. */
async function keepPlanned(
  writer: UserWriter,
  contactCenter: ContactCenter,
  plan: Plan,
): Promise<Plan | null> {
  try {
    await writer.write(contactCenter, async (writing) => {
      await writing.expect(plan.from);
      await writePlan(writing, plan);
    });
    return plan;
  } catch (error) {
    if (error instanceof Overtaken) return null;
    throw error;
  }
}

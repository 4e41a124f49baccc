import type { Engine } from './engine.ts';
import type { Statements } from './statements.ts';

/** How many rows were ever imported, by outcome, over all contact centers. */
export type ImportTotals = () => Promise<ReadonlyMap<string, number>>;

export function createImportCounts(engine: Engine, statements: Statements): ImportTotals {
  const totals = statements.get('import_counts.totals', '', (db) =>
    db
      .selectFrom('import_counts')
      .select((each) => ['outcome', each.fn.sum('count').as('total')])
      .groupBy('outcome'),
  );
  return async () =>
    new Map((await engine.read(totals, {})).map(([outcome, total]) => [String(outcome), Number(total)]));
}

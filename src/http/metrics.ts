import cluster from 'node:cluster';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineFigures } from '../access/ports.ts';
import { registerFigures, unlessAway } from './engine-figures.ts';

/** What is measured while serving. No label carries anything that came from outside. */
export interface Metrics {
  readonly registry: Registry;
  observeRequest(operation: string, status: number, seconds: number): void;
  observeStatement(name: string, seconds: number): void;
  /** A request that was counted for the limits that processes share, or in this process alone. */
  observeLimit(counted: 'redis' | 'process'): void;
}

/**
 * @param importTotals read at each scrape: imports run in processes of their own
 * @param figures what the store's engine tells of itself, read at each scrape as well
 */
export function createMetrics(
  importTotals: () => Promise<ReadonlyMap<string, number>>,
  figures: EngineFigures,
): Metrics {
  const registry = new Registry();
  if (cluster.isWorker) {
    // The first process asks each worker for its figures. Making an aggregator is what lets a worker answer.
    new AggregatorRegistry();
    AggregatorRegistry.setRegistries([registry]);
  }
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'rollcall_http_requests_total',
    help: 'Requests answered, by operation and status class',
    labelNames: ['operation', 'status'] as const,
    registers: [registry],
  });
  const latency = new Histogram({
    name: 'rollcall_http_request_duration_seconds',
    help: 'Time from the first byte of a request to the last of its answer',
    labelNames: ['operation'] as const,
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const statements = new Histogram({
    name: 'rollcall_store_statement_duration_seconds',
    help: 'Time in the store, by statement',
    labelNames: ['statement'] as const,
    buckets: [0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1],
    registers: [registry],
  });
  new Gauge({
    name: 'rollcall_imported_rows',
    help: 'Rows that imports have read since the store began, by outcome',
    labelNames: ['outcome'] as const,
    // Every worker reads the same counts from the store: they are not to be added up.
    aggregator: 'max',
    registers: [registry],
    async collect() {
      for (const [outcome, count] of await unlessAway(importTotals)) this.set({ outcome }, count);
    },
  });

  registerFigures(registry, figures);
  const limits = new Counter({
    name: 'rollcall_limit_counts_total',
    help: 'Requests counted for shared limits: in Redis, or in the process alone as Redis did not answer',
    labelNames: ['counted'] as const,
    registers: [registry],
  });
  const limitChildren = {
    redis: limits.labels({ counted: 'redis' }),
    process: limits.labels({ counted: 'process' }),
  };

  // Shown from the start: what was never counted is none.
  for (const child of Object.values(limitChildren)) child.inc(0);

  // A labelled child is looked up once; the lookup costs more than the observation.
  const counted = new Map<string, Counter.Internal[]>();
  const timed = new Map<string, Histogram.Internal<'operation'>>();
  const stored = new Map<string, Histogram.Internal<'statement'>>();
  const child = <T>(children: Map<string, T>, key: string, make: () => T): T => {
    let found = children.get(key);
    if (found === undefined) {
      found = make();
      children.set(key, found);
    }
    return found;
  };

  return {
    registry,
    observeRequest(operation, code, seconds) {
      const children = child(counted, operation, () => []);
      const hundreds = Math.floor(code / 100);
      children[hundreds] ??= requests.labels({ operation, status: `${hundreds}xx` });
      children[hundreds].inc();
      child(timed, operation, () => latency.labels({ operation })).observe(seconds);
    },
    observeLimit: (counted) => limitChildren[counted].inc(),
    observeStatement(statement, seconds) {
      child(stored, statement, () => statements.labels({ statement })).observe(seconds);
    },
  };
}

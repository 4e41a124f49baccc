import { Counter, Gauge, type Registry } from 'prom-client';
import type { EngineFigures, FigureValue } from '../access/ports.ts';
import { Failure } from '../errors.ts';

/** What was read, or nothing while the store is away: other figures are wanted then more than ever. */
export async function unlessAway<T>(
  read: () => Promise<ReadonlyMap<string, T>>,
): Promise<ReadonlyMap<string, T>> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Failure && error.kind === 'unavailable') return new Map();
    throw error;
  }
}

/** Has the figures of a store's engine read at each scrape: once, whatever their number. */
export function registerFigures(registry: Registry, figures: EngineFigures): void {
  let reading: Promise<ReadonlyMap<string, readonly FigureValue[]>> | null = null;
  // All metrics of a scrape ask in the same turn.
  const readOnce = () => {
    reading ??= unlessAway(() => figures.asked())
      .then((asked) => new Map([...figures.here(), ...asked]))
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  for (const { name, help, kind, labels, of } of figures.definitions) {
    const common = {
      name: `rollcall_${name}`,
      help,
      labelNames: [...labels],
      registers: [registry],
      aggregator: of === 'store' ? ('max' as const) : ('sum' as const),
    };
    const values = async () => (await readOnce()).get(name) ?? [];
    if (kind === 'counter') {
      new Counter({
        ...common,
        async collect() {
          const now = await values();
          this.reset();
          for (const { labels: of, value } of now) this.inc({ ...of }, value);
        },
      });
      continue;
    }
    new Gauge({
      ...common,
      async collect() {
        const now = await values();
        this.reset();
        // Set back, one without labels tells 0, which is not what is known of it.
        if (labels.length === 0) this.remove();
        for (const { labels: of, value } of now) this.set({ ...of }, value);
      },
    });
  }
}

import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.ts';
import { HttpFailure } from './wire-failure.ts';

/** Serves /healthz (the process lives), /readyz (it serves) and /metrics. */
export function mountHealth(
  app: FastifyInstance,
  deps: {
    readonly metrics: Metrics;
    readonly render: () => Promise<string>;
    readonly ping: () => Promise<void>;
    readonly isDraining: () => boolean;
  },
): void {
  const route = (operation: string) => ({ schema: { hide: true }, config: { operation } });
  app.get('/healthz', route('healthz'), async () => ({ status: 'ok' }));
  app.get('/readyz', route('readyz'), async () => {
    if (deps.isDraining()) throw new HttpFailure('unavailable', { retryAfter: 1 });
    await deps.ping();
    return { status: 'ready' };
  });
  app.get('/metrics', route('metrics'), async (_, reply) =>
    reply.header('content-type', deps.metrics.registry.contentType).send(await deps.render()),
  );
}

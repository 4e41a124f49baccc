import type { FastifyInstance } from 'fastify';

/** For wires whose requests have no body: one that comes all the same is read to its end and dropped. */
export function ignoreBodies(app: FastifyInstance): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async () => undefined);
}

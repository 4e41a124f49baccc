import type { FastifyReply } from 'fastify';

/** The type of every JSON answer of ours. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** A JSON text as an answer, sent with others that are ready in this turn. */
export function sendJson(reply: FastifyReply, payload: string | Buffer): Promise<string | Buffer> {
  reply.header('content-type', JSON_TYPE);
  return new Promise((resolve) => reply.server.atEndOfTurn(() => resolve(payload)));
}

import type { FastifyReply } from 'fastify';

/** The bytes of a JSON text as an answer, sent with others that are ready in this turn. */
export async function sendJson(reply: FastifyReply, bytes: Buffer): Promise<Buffer> {
  reply.header('content-type', 'application/json; charset=utf-8');
  await reply.server.endOfTurn();
  return bytes;
}

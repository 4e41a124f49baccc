import type { FastifyReply } from 'fastify';

/** Sends the bytes of a JSON text. */
export function sendJson(reply: FastifyReply, bytes: Buffer): FastifyReply {
  return reply.header('content-type', 'application/json; charset=utf-8').send(bytes);
}

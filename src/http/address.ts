import type { IncomingMessage } from 'node:http';
import { all, compile } from '@fastify/proxy-addr';

/**
 * What reads the address that a request came from, as Fastify does.
 * @param trustProxy proxies whose X-Forwarded-For is believed: addresses or CIDR, comma separated
 */
export function addressReader(trustProxy: string | null): (request: IncomingMessage) => string {
  if (trustProxy === null) return ({ socket }) => socket.remoteAddress ?? '';
  const isTrusted = compile(trustProxy.split(','));
  return (request) => all(request, isTrusted).at(-1) ?? '';
}

import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { describeBug } from '../errors.ts';
import type { Dialect } from './dialect.ts';
import type { Metrics } from './metrics.ts';
import { createPathForms, type MountDeps, mountDialect } from './mount.ts';
import { HttpFailure, toWireFailure, type WireFailure } from './wire-failure.ts';

/** Bytes of a request's body, and of its header block, that are taken. */
const MAX_BODY = 1_048_576;
const MAX_HEADERS = 16_384;
/** What Node itself reads before it gives up: the request line comes on top of the header block. */
const NODE_MAX_HEADERS = 49_152;
/** A request without a Host is refused here, in its vendor's form: Node would refuse it with nothing at all. */
const NODE_OPTIONS = { maxHeaderSize: NODE_MAX_HEADERS, requireHostHeader: false };

export interface ServerDeps extends MountDeps {
  readonly dialects: readonly Dialect[];
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What must be in place before the first route: it describes the routes that follow. */
  readonly mountFirst: (app: FastifyInstance) => void;
}

export interface ServerOptions {
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | null;
  /** Proxies whose X-Forwarded-For is believed: addresses or CIDR, comma separated. */
  readonly trustProxy: string | null;
}

/** The HTTP server with every dialect mounted. It does not listen yet. */
export function createServer(options: ServerOptions, deps: ServerDeps): FastifyInstance {
  const forms = createPathForms(deps.dialects, deps);
  const pathOf = (request: FastifyRequest): string =>
    request.is404 ? readPath(request.raw.url ?? '') : (request.routeOptions.url ?? '');

  const fail = async (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply> => {
    let failure: WireFailure = toWireFailure(error);
    if (!request.admitted && failure.kind !== 'internal' && failure.kind !== 'rate_limited') {
      try {
        await deps.limits.refuse(request.ip);
      } catch (limited) {
        failure = toWireFailure(limited);
      }
    }
    if (failure.kind === 'internal')
      deps.log.error({ requestId: request.id, error: describeBug(error) }, 'bug');
    const answer = forms(pathOf(request)).encode(failure);
    return (
      reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .header('content-type', answer.contentType ?? 'application/json; charset=utf-8')
        // As bytes: to a text Fastify adds a charset, which application/problem+json does not have (RFC 9457).
        .send(Buffer.from(answer.body))
    );
  };

  /** Counts and logs a request that was answered: one line, with nothing of what it carried. */
  const record = (request: FastifyRequest, reply: FastifyReply): void => {
    const { operation = 'none', dialect = null } = request.routeOptions.config;
    const status = reply.statusCode;
    const length = reply.getHeader('content-length');
    const sent = length === undefined ? request.streamedBytes : Number(length);
    deps.metrics.observeRequest(operation, status, reply.elapsedTime / 1000);
    deps.log.info({
      operation,
      route: request.is404 ? null : (request.routeOptions.url ?? null),
      dialect,
      contactCenter: request.access?.contactCenter.name ?? null,
      tokenId: request.access?.token.id ?? null,
      status,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
      bytes: request.method === 'HEAD' ? 0 : sent,
      requestId: request.id,
    });
  };
  /** The same for what Node could not read as a request. */
  const recordUnread = (status: number, bytes: number, requestId: string): void => {
    const nobody = { operation: 'none', route: null, dialect: null, contactCenter: null, tokenId: null };
    deps.metrics.observeRequest(nobody.operation, status, 0);
    deps.log.info({ ...nobody, status, ms: 0, bytes, requestId });
  };

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: 'idle',
    http: NODE_OPTIONS,
    ...(options.tls === null ? {} : { https: { ...options.tls, ...NODE_OPTIONS } }),
    frameworkErrors: (error, request, reply) => {
      stamp(request, reply);
      // Fastify runs no hooks for these.
      reply.raw.once('finish', () => record(request, reply));
      fail(error, request, reply);
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy();
      // The request line is in the packet where the headers came in one piece.
      const packet = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1', 0, 4096) : '';
      const path = /^[A-Z]+ ([^ ?]+)/.exec(packet)?.[1] ?? '';
      const kind = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed';
      const answer = forms(readPath(path)).encode({ kind, fields: {} });
      const body = Buffer.from(answer.body);
      const requestId = randomUUID();
      socket.end(
        `HTTP/1.1 ${answer.status} ${encodeStatusText(answer.status)}\r\n` +
          `Content-Type: ${answer.contentType ?? 'application/json; charset=utf-8'}\r\n` +
          `Cache-Control: no-store\r\nX-Request-Id: ${requestId}\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${answer.body}`,
      );
      recordUnread(answer.status, body.length, requestId);
    },
  });
  // An expectation that is not known may be ignored (RFC 9110 section 10.1.1); Node would answer it by itself.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  // Convoso's parameters may come in the body of a GET as well.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.decorateRequest('access', null);
  app.decorateRequest('admitted', false);
  app.decorateRequest('streamedBytes', 0);

  app.addHook('onRequest', async (request, reply) => {
    stamp(request, reply);
    if (request.is404) {
      const { allow } = forms(pathOf(request));
      if (allow !== null) throw new HttpFailure('method_not_allowed', { allow });
      throw new HttpFailure('not_found');
    }
    if (headerBytes(request.raw.rawHeaders) > MAX_HEADERS) throw new HttpFailure('headers_too_large');
    // RFC 9112 section 3.2.
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
      throw new HttpFailure('malformed');
    }
  });
  app.addHook('onResponse', async (request, reply) => record(request, reply));
  app.setErrorHandler(fail);
  app.setNotFoundHandler((request, reply) => fail(new HttpFailure('not_found'), request, reply));

  deps.mountFirst(app);
  for (const dialect of deps.dialects) mountDialect(app, dialect, deps);
  return app;
}

function stamp(request: FastifyRequest, reply: FastifyReply): void {
  reply.header('cache-control', 'no-store').header('x-request-id', request.id);
}

/** The path of a request's target: without an origin (RFC 9112 section 3.2.2), a query, and escapes. */
function readPath(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/s, '');
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The size of a header block as it was sent: name, colon, space, value and line end of each. */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 1) bytes += (rawHeaders[at] as string).length + 2;
  return bytes;
}

function encodeStatusText(status: number): string {
  return status === 431 ? 'Request Header Fields Too Large' : 'Bad Request';
}

import { randomUUID } from 'node:crypto';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Dialect } from './dialect.ts';
import type { Metrics } from './metrics.ts';
import { createPathForms, type MountDeps, mountDialect } from './mount.ts';
import { HttpFailure, toWireFailure, type WireFailure } from './wire-failure.ts';

/** Bytes of a request's body, and of its header block, that are taken. */
const MAX_BODY = 1_048_576;
const MAX_HEADERS = 16_384;
/** What Node itself reads before it gives up: the request line comes on top of the header block. */
const NODE_MAX_HEADERS = 49_152;

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
  const pathOf = (request: FastifyRequest): string => {
    const url = request.raw.url ?? '';
    const query = url.indexOf('?');
    return query < 0 ? url : url.slice(0, query);
  };

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
      deps.log.error({ requestId: request.id, error: safeError(error) }, 'bug');
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
    const { operation, dialect } = request.routeOptions.config;
    const status = reply.statusCode;
    const length = reply.getHeader('content-length');
    deps.metrics.observeRequest(operation ?? 'none', status, reply.elapsedTime / 1000);
    deps.log.info({
      operation: operation ?? 'none',
      route: request.is404 ? null : (request.routeOptions.url ?? null),
      dialect: dialect ?? null,
      contactCenter: request.access?.contactCenter.name ?? null,
      tokenId: request.access?.token.id ?? null,
      status,
      ms: Math.round(reply.elapsedTime * 1000) / 1000,
      bytes: length === undefined ? request.streamedBytes : Number(length),
      requestId: request.id,
    });
  };

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: NODE_MAX_HEADERS },
    ...(options.tls === null ? {} : { https: { ...options.tls, maxHeaderSize: NODE_MAX_HEADERS } }),
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
      const answer = forms(path).encode({ kind, fields: {} });
      const body = Buffer.from(answer.body);
      socket.end(
        `HTTP/1.1 ${answer.status} ${encodeStatusText(answer.status)}\r\n` +
          `Content-Type: ${answer.contentType ?? 'application/json; charset=utf-8'}\r\n` +
          `Cache-Control: no-store\r\nX-Request-Id: ${randomUUID()}\r\n` +
          `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${answer.body}`,
      );
    },
  });
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

/** The size of a header block as it was sent: name, colon, space, value and line end of each. */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 1) bytes += (rawHeaders[at] as string).length + 2;
  return bytes;
}

function encodeStatusText(status: number): string {
  return status === 431 ? 'Request Header Fields Too Large' : 'Bad Request';
}

/** What a log may hold of an unexpected error: its type and where it was raised, never its message. */
function safeError(error: unknown): { type: string; at: string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  // A message of several lines may hold one that looks like a frame.
  const stack = (error.stack ?? '').replace(error.message, '');
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { type: error.name, at: frames.slice(0, 8).map((line) => line.trim()) };
}

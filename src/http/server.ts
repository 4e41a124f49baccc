import { randomUUID } from 'node:crypto';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { describeBug, Failure } from '../errors.ts';
import { watchBody } from './body-time.ts';
import type { WireFormat } from './dialect.ts';
import type { Metrics } from './metrics.ts';
import { createPathForms, type MountDeps, mountDialect } from './mount.ts';
import { createTurn } from './turn.ts';
import { type FailureAnswer, HttpFailure, toWireFailure, type WireFailure } from './wire-failure.ts';

/** Bytes of a request's body, and of its header block, that are taken. */
const MAX_BODY = 1_048_576;
const MAX_HEADERS = 16_384;
/** What Node itself reads before it gives up: the request line comes on top of the header block. */
const NODE_MAX_HEADERS = 49_152;
/** A request without a Host is refused here, in its vendor's form: Node would refuse it with nothing at all. */
const NODE_OPTIONS = { maxHeaderSize: NODE_MAX_HEADERS, requireHostHeader: false };

/** Headers that tell of an answer's content: a failure in its place is not named, ranged or cached like it. */
const OF_CONTENT = ['content-disposition', 'content-range', 'etag'];

export interface ServerDeps extends MountDeps {
  readonly dialects: readonly WireFormat[];
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
    // The client is not told what of ours fails: whoever can mend it reads it here.
    if (error instanceof Failure && error.kind === 'unavailable')
      deps.log.warn({ requestId: request.id, reason: error.message }, 'unavailable');
    const answer = forms(pathOf(request)).encode(failure);
    for (const name of OF_CONTENT) reply.removeHeader(name);
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
  const record = (request: FastifyRequest, reply: FastifyReply, start: number): void => {
    const milliseconds = performance.now() - start;
    // Made anew at each reading.
    const { url, config } = request.routeOptions;
    const { operation = 'none', dialect = null } = config;
    const status = reply.statusCode;
    const length = reply.getHeader('content-length');
    const sent = length === undefined ? request.streamedBytes : Number(length);
    deps.metrics.observeRequest(operation, status, milliseconds / 1000);
    deps.log.info({
      operation,
      route: request.is404 ? null : (url ?? null),
      dialect,
      contactCenter: request.asker?.contactCenter ?? null,
      tokenId: request.asker?.tokenId ?? null,
      status,
      ms: Math.round(milliseconds * 1000) / 1000,
      bytes: request.method === 'HEAD' ? 0 : sent,
      requestId: request.id,
      ...(reply.raw.writableFinished ? {} : { brokenOff: true }),
    });
  };
  /** The same for what Node could not read as a request. */
  const recordUnread = (status: number, bytes: number, requestId: string): void => {
    const nobody = { operation: 'none', route: null, dialect: null, contactCenter: null, tokenId: null };
    deps.metrics.observeRequest(nobody.operation, status, 0);
    deps.log.info({ ...nobody, status, ms: 0, bytes, requestId });
  };

  /** Answers on a socket whose request never came to Fastify, and closes it. */
  const writeAnswer = (socket: Duplex, answer: FailureAnswer): void => {
    const body = Buffer.from(answer.body);
    const requestId = randomUUID();
    const headers = {
      'content-type': answer.contentType ?? 'application/json; charset=utf-8',
      ...answer.headers,
      'cache-control': 'no-store',
      'x-request-id': requestId,
      'content-length': body.length,
      connection: 'close',
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(
      `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines.join('')}\r\n${answer.body}`,
    );
    recordUnread(answer.status, body.length, requestId);
  };

  /** What is wrong with a request whatever it asks for. */
  const refuse = (request: FastifyRequest): HttpFailure | null => {
    if (request.is404) {
      const { allow } = forms(pathOf(request));
      // An escaped slash makes a path look documented that is none.
      const isWrongMethod = allow !== null && !allow.includes(request.method);
      return isWrongMethod ? new HttpFailure('method_not_allowed', { allow }) : new HttpFailure('not_found');
    }
    const { rawHeaders, httpVersion } = request.raw;
    if (headerBytes(rawHeaders) > MAX_HEADERS) return new HttpFailure('headers_too_large');
    // RFC 9112 section 3.2: one, and where it is missing only in HTTP/1.0.
    const hosts = countHosts(rawHeaders);
    return hosts > 1 || (httpVersion === '1.1' && hosts === 0) ? new HttpFailure('malformed') : null;
  };

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    // Of its body alone, so that uploads may take their time; Node keeps a limit on the headers' (a minute).
    requestTimeout: 0,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: 'idle',
    http: NODE_OPTIONS,
    ...(options.tls === null ? {} : { https: { ...options.tls, ...NODE_OPTIONS } }),
    frameworkErrors: (error, request, reply) => {
      stamp(request, reply);
      // Fastify runs no hooks for these.
      const start = performance.now();
      reply.raw.once('close', () => record(request, reply, start));
      fail(error, request, reply);
    },
    clientErrorHandler: (error, socket) => {
      if (!socket.writable || error.code === 'ECONNRESET') return socket.destroy();
      // The request line is in the packet where the headers came in one piece.
      const packet = Buffer.isBuffer(error.rawPacket) ? error.rawPacket.toString('latin1', 0, 4096) : '';
      const path = /^[A-Z]+ ([^ ?]+)/.exec(packet)?.[1] ?? '';
      const kind = error.code === 'HPE_HEADER_OVERFLOW' ? 'headers_too_large' : 'malformed';
      const answer = forms(readPath(path)).encode({ kind, fields: {} });
      writeAnswer(socket, answer);
    },
  });
  // Node hangs up on a CONNECT that nobody listens for.
  app.server.on('connect', (request, socket) => {
    socket.on('error', () => socket.destroy());
    const { encode, allow } = forms(readPath(request.url ?? ''));
    const failure: WireFailure =
      allow === null ? { kind: 'not_found', fields: {} } : { kind: 'method_not_allowed', fields: {}, allow };
    writeAnswer(socket, encode(failure));
  });
  // An expectation that is not known may be ignored (RFC 9110 section 10.1.1); Node would answer it by itself.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  // Convoso's parameters may come in the body of a GET as well.
  app.addHttpMethod('GET', { hasBody: true, overrideExisting: true });
  app.decorate('atEndOfTurn', createTurn());
  app.decorateRequest('asker', null);
  app.decorateRequest('admitted', false);
  app.decorateRequest('streamedBytes', 0);

  // Hooks with a callback: one with a promise costs each request a turn through the queue of microtasks.
  app.addHook('onRequest', (request, reply, done) => {
    // Unlike the end of a response, its close also comes where the client has gone away.
    const start = performance.now();
    reply.raw.on('close', () => record(request, reply, start));
    const refusal = refuse(request);
    const goOn = (failure?: Error) => {
      stamp(request, reply);
      watchBody(request.raw, request.routeOptions.config.isUpload ?? false, () =>
        app.server.emit('clientError', new Error('a body that is too slow'), request.raw.socket),
      );
      done(failure);
    };
    const repeat = refusal === null ? deps.repeats.find(request.raw) : undefined;
    if (repeat === undefined) return goOn(refusal ?? undefined);
    deps.repeats.answer(repeat, request, reply).then((isAnswered) => isAnswered || goOn(), goOn);
  });
  app.addHook('onSend', (request, reply, payload, done) => {
    // Files of the reference page bring a caching rule of their own.
    reply.header('cache-control', request.routeOptions.config.cacheControl ?? 'no-store');
    // An answer under way that breaks off cannot become a failure any more: it can only be told of.
    if (payload instanceof Readable) {
      payload.once('error', (error) => {
        deps.log.error({ requestId: request.id, error: describeBug(error) }, 'answer broken off');
      });
    }
    done(null, payload);
  });
  app.setErrorHandler(fail);
  app.setNotFoundHandler((request, reply) => fail(new HttpFailure('not_found'), request, reply));

  deps.mountFirst(app);
  for (const dialect of deps.dialects) mountDialect(app, dialect, deps);
  return app;
}

function stamp(request: FastifyRequest, reply: FastifyReply): void {
  const cacheControl = request.routeOptions.config.cacheControl ?? 'no-store';
  reply.header('cache-control', cacheControl).header('x-request-id', request.id);
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

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/** The size of a header block as it was sent: name, colon, space, value and line end of each. */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 1) bytes += (rawHeaders[at] as string).length + 2;
  return bytes;
}

import { randomUUID } from 'node:crypto';
import {
  createServer as createPlainServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Readable } from 'node:stream';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { describeBug, Failure } from '../errors.ts';
import { addressReader } from './address.ts';
import { watchBody } from './body-time.ts';
import type { WireFormat } from './dialect.ts';
import { refuseHeaders } from './header-block.ts';
import type { Metrics } from './metrics.ts';
import { createPathForms, type MountDeps, mountDialect } from './mount.ts';
import type { FailedRepeat } from './repeats.ts';
import { createRecordRequest } from './request-log.ts';
import { createTurn } from './turn.ts';
import { type FailureAnswer, HttpFailure, toWireFailure, type WireFailure } from './wire-failure.ts';

/** Bytes of a request's body that are taken. */
const MAX_BODY = 1_048_576;
/** Bytes of a refused body that are read and dropped: more is not worth waiting for. */
const MOST_DROPPED = 16 * MAX_BODY;
/** What Node itself reads before it gives up: the request line comes on top of the header block. */
const NODE_MAX_HEADERS = 49_152;
/** How long a connection may ask nothing, in milliseconds: longer than balancers keep theirs. */
const KEEP_ALIVE = 72_000;
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
    // Many clients look at an answer only once they have sent everything, and Fastify would hang up before that.
    // Without its header Node reads the rest and drops it.
    if (failure.kind === 'too_large' && Number(request.headers['content-length']) <= MOST_DROPPED)
      reply.removeHeader('connection');
    return (
      reply
        .code(answer.status)
        .headers(answer.headers ?? {})
        .header('content-type', answer.contentType ?? 'application/json; charset=utf-8')
        // As bytes: to a text Fastify adds a charset, which application/problem+json does not have (RFC 9457).
        .send(Buffer.from(answer.body))
    );
  };

  const recordRequest = createRecordRequest(deps.log, deps.metrics);
  const record = (request: FastifyRequest, reply: FastifyReply, start: number): void => {
    // Made anew at each reading.
    const { url, config } = request.routeOptions;
    const length = reply.getHeader('content-length');
    const sent = length === undefined ? request.streamedBytes : Number(length);
    recordRequest({
      operation: config.operation ?? 'none',
      route: request.is404 ? null : (url ?? null),
      dialect: config.dialect ?? null,
      asker: request.asker,
      status: reply.statusCode,
      milliseconds: performance.now() - start,
      bytes: request.method === 'HEAD' ? 0 : sent,
      requestId: request.id,
      isBrokenOff: !reply.raw.writableFinished,
    });
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
    recordRequest({
      operation: 'none',
      route: null,
      dialect: null,
      asker: null,
      status: answer.status,
      milliseconds: 0,
      bytes: body.length,
      requestId,
      isBrokenOff: false,
    });
  };

  /** What is wrong with a request whatever it asks for. */
  const refuse = (request: FastifyRequest): HttpFailure | null => {
    if (request.is404) {
      const { allow } = forms(pathOf(request));
      // An escaped slash makes a path look documented that is none.
      const isWrongMethod = allow !== null && !allow.includes(request.method);
      return isWrongMethod ? new HttpFailure('method_not_allowed', { allow }) : new HttpFailure('not_found');
    }
    return refuseHeaders(request.raw);
  };

  const atEndOfTurn = createTurn();
  const answerRepeat = deps.repeats.createAnswer({
    addressOf: addressReader(options.trustProxy),
    atEndOfTurn,
    record: recordRequest,
  });
  const failedRepeats = new WeakMap<IncomingMessage, FailedRepeat>();
  let isClosing = false;
  /** What was answered before is answered before it is routed; the router tells who is connected that it ends. */
  const answerFirst = (route: RequestListener, request: IncomingMessage, response: ServerResponse): void => {
    const goOn = (failed: FailedRepeat | null) => {
      if (failed !== null) failedRepeats.set(request, failed);
      route(request, response);
    };
    if (isClosing || !answerRepeat(request, response, goOn)) route(request, response);
  };

  const app = fastify({
    logger: false,
    bodyLimit: MAX_BODY,
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    trustProxy: options.trustProxy ?? false,
    forceCloseConnections: 'idle',
    // Whoever is still connected while the server ends is answered all the same, in the vendor's own form.
    return503OnClosing: false,
    // By this Fastify tells its address; the server is made by what follows.
    ...(options.tls === null ? {} : { https: options.tls }),
    serverFactory: (route) =>
      serve(options.tls, (request, response) => answerFirst(route, request, response)),
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
  app.decorate('atEndOfTurn', atEndOfTurn);
  app.addHook('preClose', (done) => {
    isClosing = true;
    done();
  });
  app.decorateRequest('asker', null);
  app.decorateRequest('admitted', false);
  app.decorateRequest('streamedBytes', 0);

  // Hooks with a callback: one with a promise costs each request a turn through the queue of microtasks.
  app.addHook('onRequest', (request, reply, done) => {
    // Unlike the end of a response, its close also comes where the client has gone away.
    const start = performance.now();
    reply.raw.on('close', () => record(request, reply, start));
    stamp(request, reply);
    watchBody(request.raw, request.routeOptions.config.isUpload ?? false, () => {
      // Who was answered before all had come is told nothing more.
      if (reply.raw.writableFinished) request.raw.destroy();
      else app.server.emit('clientError', new Error('a body that is too slow'), request.raw.socket);
    });
    const failed = failedRepeats.get(request.raw);
    if (failed !== undefined) {
      request.asker = failed.asker;
      request.admitted = failed.asker !== null;
    }
    done(refuse(request) ?? failed?.error);
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

/** Node's own server, with Fastify's times. */
function serve(tls: ServerOptions['tls'], listener: RequestListener): Server {
  const server =
    tls === null
      ? createPlainServer(NODE_OPTIONS, listener)
      : createTlsServer({ ...tls, ...NODE_OPTIONS }, listener);
  server.keepAliveTimeout = KEEP_ALIVE;
  // Of its body alone, so that uploads may take their time; Node keeps a limit on the headers' (a minute).
  server.requestTimeout = 0;
  return server;
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

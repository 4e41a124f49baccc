import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { stateOf } from '../access/contact-center.ts';
import type { AccessStore } from '../access/ports.ts';
import { hashSecret } from '../access/token.ts';
import { type Access, findAccess } from '../access/tokens.ts';
import { type Answer, etagOf } from './answers.ts';
import { refuseHeaders } from './header-block.ts';
import type { Limits } from './limits.ts';
import type { Asker, RecordRequest, RequestKind } from './request-log.ts';
import { JSON_TYPE } from './send-json.ts';

/** Bytes of the answers to requests that are kept. Most are those of `Answers` as well. */
const MAX_BYTES = 16_000_000;

/** Headers that a request may differ by: one with any of them is read as if it had not been sent before. */
const TELLING = ['content-length', 'transfer-encoding', 'content-type', 'expect', 'if-none-match'] as const;

interface Repeat {
  readonly kind: RequestKind;
  readonly answer: Answer;
  readonly secretHash: string;
  /** Of the contact center when the answer was made. */
  readonly state: string;
  /** Milliseconds since 1970: it is made anew from then on. */
  readonly until: number;
}

/** What the server gives, whose requests these are. */
export interface RepeatSurroundings {
  /** The address of who asks. */
  readonly addressOf: (request: IncomingMessage) => string;
  readonly atEndOfTurn: (send: () => void) => void;
  readonly record: RecordRequest;
}

/** Why a request that was answered before is not answered now, and who asked, where that is known. */
export interface FailedRepeat {
  readonly error: Error;
  readonly asker: Asker | null;
}

/**
 * Takes a request that was answered before: it is answered now, or routed where something has changed since, or
 * where it failed: then with why, so that nothing is asked or counted a second time.
 * False where it is none: it is left as it came.
 */
export type AnswerRepeat = (
  request: IncomingMessage,
  response: ServerResponse,
  route: (failed: FailedRepeat | null) => void,
) => boolean;

export interface RepeatDeps {
  readonly access: AccessStore;
  readonly limits: Limits;
  readonly now: () => number;
}

/**
 * Requests that were answered since their contact center was last written. The same target with the same token
 * has the same answer: it is neither decoded nor looked up anew. Who asks is checked, limited, counted and
 * logged as ever.
 */
export class Repeats {
  readonly #deps: RepeatDeps;
  readonly #kept = new LRUCache<string, Repeat>({
    maxSize: MAX_BYTES,
    sizeCalculation: ({ answer }, key) => answer.length + key.length * 2,
  });

  constructor(deps: RepeatDeps) {
    this.#deps = deps;
  }

  /** Keeps the answer that a request got. Its operation's answers depend on nothing but what is kept with it. */
  note(request: FastifyRequest, secret: string, { contactCenter }: Access, answer: Answer): void {
    if (!isPlain(request.raw)) return;
    const { url = null, config } = request.routeOptions;
    const nextYear = Date.UTC(new Date(this.#deps.now()).getUTCFullYear() + 1, 0);
    this.#kept.set(keyOf(request.raw), {
      kind: { operation: config.operation ?? 'none', route: url, dialect: config.dialect ?? null },
      answer,
      secretHash: hashSecret(secret),
      state: stateOf(contactCenter),
      // Answers show the offsets of zones in the current year.
      until: nextYear,
    });
  }

  /** What answers requests as they were answered before, in front of a server's router. */
  createAnswer({ addressOf, atEndOfTurn, record }: RepeatSurroundings): AnswerRepeat {
    return (request, response, route) => {
      const repeat = isPlain(request) ? this.#kept.get(keyOf(request)) : undefined;
      if (repeat === undefined || refuseHeaders(request) !== null) return false;
      const start = performance.now();
      const requestId = randomUUID();
      let asker: Asker | null = null;
      const tell = () => {
        record({
          ...repeat.kind,
          asker,
          status: response.statusCode,
          milliseconds: performance.now() - start,
          bytes: repeat.answer.length,
          requestId,
          isBrokenOff: !response.writableFinished,
        });
      };
      // Its close also comes where the client has gone away.
      response.on('close', tell);
      const goOn = (failed: FailedRepeat | null) => {
        if (response.closed) return;
        response.off('close', tell);
        route(failed);
      };
      this.#findAsker(repeat)
        .then(async (access) => {
          if (access === null) return goOn(null);
          asker = { contactCenter: access.contactCenter.name, tokenId: access.token.id };
          await this.#deps.limits.admit(access.token.id, addressOf(request));
          atEndOfTurn(() => send(response, repeat.answer, requestId));
        })
        .catch((error) => goOn({ error, asker }));
      return true;
    };
  }

  /** Who asks; null where something has changed since the answer was made. */
  async #findAsker(repeat: Repeat): Promise<Access | null> {
    const now = this.#deps.now();
    const access = await findAccess(this.#deps.access, repeat.secretHash, now);
    if (access === null || stateOf(access.contactCenter) !== repeat.state || now >= repeat.until) return null;
    return access;
  }
}

function send(response: ServerResponse, answer: Answer, requestId: string): void {
  response.writeHead(200, [
    'cache-control',
    'no-store',
    'x-request-id',
    requestId,
    'content-type',
    JSON_TYPE,
    'etag',
    etagOf(answer),
    'content-length',
    String(answer.length),
  ]);
  response.end(answer.payload, 'latin1');
}

const keyOf = ({ url, headers }: IncomingMessage) => `${url} ${headers.authorization ?? ''}`;

/** Whether nothing but the target and the token tells what a request asks for. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET') return false;
  for (const name of TELLING) if (headers[name] !== undefined) return false;
  return true;
}

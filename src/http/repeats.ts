import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import type { AccessStore } from '../access/ports.ts';
import { hashSecret } from '../access/token.ts';
import { type Access, findAccess } from '../access/tokens.ts';
import { type Answer, etagOf } from './answers.ts';
import type { Limits } from './limits.ts';
import { JSON_TYPE } from './send-json.ts';

/** Bytes of the answers to requests that are kept. Most are those of `Answers` as well. */
const MAX_BYTES = 16_000_000;

/** Headers that a request may differ by: one with any of them is read as if it had not been sent before. */
const TELLING = ['content-length', 'transfer-encoding', 'content-type', 'expect', 'if-none-match'] as const;

interface Repeat {
  readonly answer: Answer;
  readonly secretHash: string;
  /** Of the contact center when the answer was made. */
  readonly revision: number;
  /** Milliseconds since 1970: it is made anew from then on. */
  readonly until: number;
}

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
  note(request: IncomingMessage, secret: string, { contactCenter }: Access, answer: Answer): void {
    if (!isPlain(request)) return;
    const nextYear = Date.UTC(new Date(this.#deps.now()).getUTCFullYear() + 1, 0);
    this.#kept.set(keyOf(request), {
      answer,
      secretHash: hashSecret(secret),
      revision: contactCenter.revision,
      // Answers show the offsets of zones in the current year.
      until: nextYear,
    });
  }

  /** What is kept of a request, where it was answered before. */
  find(request: IncomingMessage): Repeat | undefined {
    return isPlain(request) ? this.#kept.get(keyOf(request)) : undefined;
  }

  /**
   * Answers a request as it was answered before. False where it cannot be, as something has changed since.
   * @throws HttpFailure rate_limited
   */
  async answer(repeat: Repeat, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
    const now = this.#deps.now();
    const access = await findAccess(this.#deps.access, repeat.secretHash, now);
    if (access === null || access.contactCenter.revision !== repeat.revision || now >= repeat.until)
      return false;
    request.asker = { contactCenter: access.contactCenter.name, tokenId: access.token.id };
    request.admitted = true;
    await this.#deps.limits.admit(access.token.id, request.ip);
    const { payload, length } = repeat.answer;
    request.streamedBytes = length;
    reply.hijack();
    request.server.atEndOfTurn(() => {
      const { raw } = reply;
      raw.writeHead(200, [
        'cache-control',
        'no-store',
        'x-request-id',
        request.id,
        'content-type',
        JSON_TYPE,
        'etag',
        etagOf(repeat.answer),
        'content-length',
        String(length),
      ]);
      raw.end(payload, 'latin1');
    });
    return true;
  }
}

const keyOf = ({ url, headers }: IncomingMessage) => `${url} ${headers.authorization ?? ''}`;

/** Whether nothing but the target and the token tells what a request asks for. */
function isPlain({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET') return false;
  for (const name of TELLING) if (headers[name] !== undefined) return false;
  return true;
}

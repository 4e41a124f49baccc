import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { type ContactCenter, stateOf } from '../access/contact-center.ts';

/** Answers kept, in bytes, and the longest one that is kept. */
const MAX_BYTES = 16_000_000;
const MAX_ANSWER = 262_144;

/** The body of an answer, in the form that is sent at least cost. */
export interface Answer {
  /**
   * Plain letters as a text, which Node sends in one piece with the headers; bytes where there are others, as
   * they make a text of two bytes a letter, which Node would count and then write at several times the cost.
   */
  readonly payload: string | Buffer;
  /** In bytes. */
  readonly length: number;
  /** Whether it was given before. */
  isRepeated: boolean;
  /** Its entity tag, once somebody had use for it. */
  etag?: string;
}

/**
 * The strong entity tag of an answer: of its bytes, so that it is the same in every process and never that of
 * other bytes, also where a store was restored and took the same revision anew. It is worked out once.
 */
export function etagOf(answer: Answer): string {
  answer.etag ??= `"${hash('sha256', answer.payload, 'base64url')}"`;
  return answer.etag;
}

/** Makes an answer of a text. */
export function toAnswer(text: string): Answer {
  const bytes = Buffer.from(text);
  // Read back, as the text is one of many pieces: it would be put together at the first sending.
  return {
    payload: isAscii(bytes) ? bytes.toString('latin1') : bytes,
    length: bytes.length,
    isRepeated: false,
  };
}

/**
 * Answers that were given since a contact center was last written. Integrations ask the same questions
 * again and again; while nothing has changed, an answer is the same to the byte and need not be made anew.
 * Its state is part of the key, so that no answer outlives a change.
 */
export class Answers {
  readonly #kept = new LRUCache<string, Answer>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_ANSWER,
    sizeCalculation: (answer, key) => answer.length + key.length * 2,
  });

  /**
   * The answer to a question, made where it is not known.
   * @param question everything that the answer depends on, besides the contact center and its users
   */
  async find(contactCenter: ContactCenter, question: Question, make: () => Promise<string>): Promise<Answer> {
    return this.peek(contactCenter, question) ?? this.keep(contactCenter, question, await make());
  }

  /** The answer to a question, where it is known. */
  peek(contactCenter: ContactCenter, question: Question): Answer | undefined {
    const answer = this.#kept.get(keyOf(contactCenter, question));
    if (answer !== undefined) answer.isRepeated = true;
    return answer;
  }

  /** Keeps an answer, and gives it. */
  keep(contactCenter: ContactCenter, question: Question, text: string): Answer {
    const answer = toAnswer(text);
    this.#kept.set(keyOf(contactCenter, question), answer);
    return answer;
  }
}

type Question = readonly (string | number)[];

function keyOf(contactCenter: ContactCenter, question: Question): string {
  return `${stateOf(contactCenter)} ${JSON.stringify(question)}`;
}

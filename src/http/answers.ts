import { LRUCache } from 'lru-cache';
import type { ContactCenter } from '../access/contact-center.ts';

/** Answers kept, in bytes, and the longest one that is kept. */
const MAX_BYTES = 16_000_000;
const MAX_ANSWER = 262_144;

/**
 * Answers that were given since a contact center was last written. Integrations ask the same questions
 * again and again; while nothing has changed, an answer is the same to the byte and need not be made anew.
 * The revision is part of the key, so that no answer outlives a change.
 */
export class Answers {
  readonly #kept = new LRUCache<string, Buffer>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_ANSWER,
    sizeCalculation: (answer, key) => answer.length + key.length * 2,
  });

  /**
   * The answer to a question, made where it is not known.
   * @param question everything that the answer depends on, besides the contact center and its users
   */
  async find(contactCenter: ContactCenter, question: Question, make: () => Promise<string>): Promise<Buffer> {
    return this.peek(contactCenter, question) ?? this.keep(contactCenter, question, await make());
  }

  /** The answer to a question, where it is known. */
  peek(contactCenter: ContactCenter, question: Question): Buffer | undefined {
    return this.#kept.get(keyOf(contactCenter, question));
  }

  /**
   * Keeps an answer; gives its bytes. They are made once: names beyond Latin-1 make a text of two bytes a
   * letter, which Node would count and then write at several times the cost.
   */
  keep(contactCenter: ContactCenter, question: Question, text: string): Buffer {
    const answer = Buffer.from(text);
    this.#kept.set(keyOf(contactCenter, question), answer);
    return answer;
  }
}

type Question = readonly (string | number)[];

function keyOf(contactCenter: ContactCenter, question: Question): string {
  return `${contactCenter.id} ${contactCenter.revision} ${JSON.stringify(question)}`;
}

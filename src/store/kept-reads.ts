import { LRUCache } from 'lru-cache';
import type { Engine } from './engine.ts';

/**
 * What was read since anything was last written, by whichever process. What is read again and again, and
 * must hold at once when it changes (a revocation), costs a look at the engine's mark in place of a statement.
 * What was not found is asked for again.
 */
export class KeptReads<T extends {}> {
  readonly #engine: Engine;
  readonly #kept: LRUCache<string, T>;
  #mark: number | null = null;

  constructor(engine: Engine, max: number) {
    this.#engine = engine;
    this.#kept = new LRUCache({ max });
  }

  /** What is kept under a key, read where it is not known. */
  async find(key: string, read: () => Promise<T | null>): Promise<T | null> {
    const mark = this.#engine.mark();
    if (mark === null || mark !== this.#mark) this.#kept.clear();
    this.#mark = mark;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const fresh = await read();
    // Read in another turn than the mark, it may be of another state.
    if (fresh !== null && mark === this.#mark) this.#kept.set(key, fresh);
    return fresh;
  }
}

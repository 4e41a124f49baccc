import { Failure } from '../../errors.ts';

/**
 * Turns of what writes a contact center in this process: one of them has a connection and waits for the database's
 * lock, and the others wait here, where they keep no connection from writers of other contact centers.
 */
export class Turns {
  readonly #patience: number;
  /** Resolves once the last that asked for a contact center, and all before it, are over. */
  readonly #last = new Map<number, Promise<void>>();

  /** @param patience how long one waits for its turn, in milliseconds */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** Contact centers that somebody has or waits for. */
  get size(): number {
    return this.#last.size;
  }

  /**
   * Waits for all of these at once, so that nobody waits for one who waits for them. Gives what ends the turn.
   * @throws Failure unavailable
   */
  async take(contactCenters: readonly number[]): Promise<() => void> {
    const ids = [...new Set(contactCenters)];
    const before = Promise.all(ids.flatMap((id) => this.#last.get(id) ?? []));
    const isFree = ids.every((id) => !this.#last.has(id));
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    // Who gave up is over, but not who had its turn before it.
    const last = Promise.all([before, over]).then(() => {
      for (const id of ids) if (this.#last.get(id) === last) this.#last.delete(id);
    });
    for (const id of ids) this.#last.set(id, last);
    if (isFree) return end;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      const busy = () =>
        reject(new Failure('unavailable', 'the database is busy; try again in a moment', { retryAfter: 1 }));
      timer = setTimeout(busy, this.#patience);
    });
    try {
      await Promise.race([before, late]);
      return end;
    } catch (error) {
      end();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';

/** A stream as it goes by: its size and SHA-256, and what it raised. Whoever reads it destroys it where they stop. */
export class Counted {
  readonly #content: Readable;
  readonly #hash = createHash('sha256');
  bytes = 0;
  hasBroken = false;
  error: unknown;

  constructor(content: Readable) {
    this.#content = content;
    // It may break off while nothing reads from it yet; reading then raises it.
    content.on('error', () => {});
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const pieces: AsyncIterator<Uint8Array | string> = this.#content[Symbol.asyncIterator]();
    for (;;) {
      let next: IteratorResult<Uint8Array | string>;
      try {
        next = await pieces.next();
      } catch (error) {
        // Whoever reads this raises errors in it as well; only these are the source's.
        this.hasBroken = true;
        this.error = error;
        throw error;
      }
      if (next.done === true) return;
      const chunk = typeof next.value === 'string' ? Buffer.from(next.value) : next.value;
      this.#hash.update(chunk);
      this.bytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** Of all that went by, lower-case hex; asked once. */
  sha256(): string {
    return this.#hash.digest('hex');
  }
}

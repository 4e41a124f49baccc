import { Failure } from '../errors.ts';
import type { WipingWriter } from './write-apart.ts';

/**
 * Makes what wipes a store's traces of what was let go. One wipe serves all who ask before it begins; who asks
 * while one is under way waits for the next.
 */
export function createWipe(writer: Pick<WipingWriter, 'wipe'>): () => Promise<boolean> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<boolean> | null = null;

  async function wipe(): Promise<boolean> {
    next = null;
    try {
      return await writer.wipe();
    } catch (error) {
      // Nothing is lost by it: it is for who asks to try again.
      if (error instanceof Failure) return false;
      throw error;
    }
  }

  return () => {
    if (next === null) {
      next = running.then(wipe);
      running = next.catch(() => {});
    }
    return next;
  };
}

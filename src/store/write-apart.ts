import { Failure } from '../errors.ts';
import type { Engine } from './engine.ts';

/** What writes, and is closed when it is done. */
export type Writer = Pick<Engine, 'transaction' | 'close'>;

/**
 * Writes beside the process's own writing, by what is opened when there is first something to write. A disk
 * that takes its time to keep it holds up no request. What breaks down is opened anew.
 */
export function writeApart(open: () => Writer): Writer {
  let writer: Writer | null = null;
  return {
    async transaction(contactCenters, work) {
      writer ??= open();
      const used = writer;
      try {
        return await used.transaction(contactCenters, work);
      } catch (error) {
        if (!(error instanceof Failure) && writer === used) {
          writer = null;
          await used.close();
        }
        throw error;
      }
    },
    async close() {
      await writer?.close();
    },
  };
}

import { Failure } from '../errors.ts';
import type { Engine } from './engine.ts';

/** What writes, and is closed when it is done. */
export type Writer = Pick<Engine, 'transaction' | 'close'>;

/** One that can also see to it that what was deleted is gone from what the store leaves behind. */
export interface WipingWriter extends Writer {
  /** False where somebody still reads it: then it is to be tried again. */
  wipe(): Promise<boolean>;
}

/**
 * Writes beside the process's own writing, by what is opened when there is first something to write. A disk
 * that takes its time to keep it holds up no request. What breaks down is opened anew.
 */
export function writeApart(open: () => WipingWriter): WipingWriter {
  let writer: WipingWriter | null = null;

  async function use<T>(work: (used: WipingWriter) => Promise<T>): Promise<T> {
    writer ??= open();
    const used = writer;
    try {
      return await work(used);
    } catch (error) {
      if (!(error instanceof Failure) && writer === used) {
        writer = null;
        await used.close();
      }
      throw error;
    }
  }

  return {
    transaction: (contactCenters, work) => use((used) => used.transaction(contactCenters, work)),
    wipe: () => use((used) => used.wipe()),
    async close() {
      await writer?.close();
    },
  };
}

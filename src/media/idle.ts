import { PassThrough, pipeline, type Readable } from 'node:stream';
import { Failure } from '../errors.ts';

/**
 * The same bytes; where none have come for so many milliseconds while some were wanted, the stream ends with
 * a Failure of kind unavailable. A reader that pauses is no reason.
 */
export function breakOffWhenIdle(content: Readable, milliseconds: number): Readable {
  const out = new PassThrough();
  let timer: NodeJS.Timeout | undefined;
  const wait = () => {
    timer = setTimeout(() => {
      if (out.writableNeedDrain) wait();
      else
        content.destroy(new Failure('unavailable', 'the audio stopped coming; try again', { retryAfter: 5 }));
    }, milliseconds);
  };
  wait();
  content.on('data', () => {
    clearTimeout(timer);
    wait();
  });
  pipeline(content, out, () => clearTimeout(timer));
  return out;
}

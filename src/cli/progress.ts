import { SingleBar } from 'cli-progress';

/** A progress bar on stderr where a person looks on; nothing where nobody does. */
export interface Progress {
  update(done: number, note: string): void;
  stop(): void;
}

/** @param total in the unit of `update`, or null where it is unknown */
export function startProgress(total: number | null, unit: string): Progress {
  if (process.stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  const format = total === null ? `{value} ${unit}  {note}` : `[{bar}] {percentage} %  {note}`;
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
    fps: 5,
  });
  bar.start(total ?? 0, 0, { note: '' });
  return {
    update: (done, note) => bar.update(done, { note }),
    stop: () => bar.stop(),
  };
}

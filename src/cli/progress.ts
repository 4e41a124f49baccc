import { SingleBar } from 'cli-progress';

/** A progress bar on stderr where a person looks on; nothing where nobody does. */
export interface Progress {
  update(done: number, note: string): void;
  /** Writes a line that stays, above the bar: on stderr where no other stream is given. */
  tell(line: string, to?: Terminal): void;
  /** Takes the bar away. */
  stop(): void;
}

/** Where a bar is drawn, if it is a terminal. */
export type Terminal = NodeJS.WritableStream & { readonly isTTY?: boolean };

/**
 * @param total in the unit of `update`, or null where it is unknown
 * @param stream where the bar is drawn, and lines are written that name no other
 */
export function startProgress(
  total: number | null,
  unit: string,
  stream: Terminal = process.stderr,
): Progress {
  const write = (line: string, to: Terminal = stream) => {
    to.write(`${line}\n`);
  };
  if (stream.isTTY !== true) return { update: () => {}, tell: write, stop: () => {} };
  const format = total === null ? `{value} ${unit}  {note}` : `[{bar}] {percentage} %  {note}`;
  // Ctrl-C is to end the command: the library would only end the bar. It changes nothing of the terminal
  // that would have to be put right.
  const bar = new SingleBar({
    format,
    stream,
    // Leaves room for the note on 80 columns.
    barsize: 20,
    clearOnComplete: true,
    fps: 5,
    gracefulExit: false,
    linewrap: true,
  });
  let isDrawn = false;
  const draw = (done: number, note: string) => {
    if (isDrawn) bar.update(done, { note });
    else bar.start(total ?? 0, done, { note });
    isDrawn = true;
  };
  const clear = () => {
    if (isDrawn) bar.stop();
    isDrawn = false;
  };
  draw(0, '');
  return {
    update: draw,
    // Drawn again by the next update only: lines come in bursts.
    tell(line, to = stream) {
      // Another terminal is nearly always the same one; what goes to a file leaves the bar alone.
      if (to.isTTY === true) clear();
      write(line, to);
    },
    stop: clear,
  };
}

/** How long a file stays open after its last reader, in milliseconds, and how many such files there are at most. */
const LINGER = 2000;
const MOST_LINGERING = 64;

/** A file as it was opened. */
export interface Opened {
  readonly number: number;
  readonly bytes: number;
}

interface OpenFile {
  /** Null where there is none. */
  readonly opened: Promise<Opened | null>;
  readers: number;
  /** When the last reader left; in milliseconds since 1970 UTC. */
  leftAt: number;
}

/** A file that is open for as long as its reader needs it. */
export interface Held extends Opened {
  /** To be called once. */
  release(): void;
}

/**
 * Files that are read by many short readers, one after the other: a player asks for a recording in dozens
 * of ranges. They are opened once, shared, and closed when nobody has asked for them for a while. A file
 * that is removed meanwhile is still given to whoever has it open, and to nobody else.
 */
export class OpenFiles {
  readonly #open: (path: string) => Promise<Opened | null>;
  readonly #close: (number: number) => Promise<unknown>;
  readonly #now: () => number;
  /** In the order in which they were last left. */
  readonly #files = new Map<string, OpenFile>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: {
    /** Opens a file; null where there is none. */
    readonly open: (path: string) => Promise<Opened | null>;
    readonly close: (number: number) => Promise<unknown>;
    readonly now: () => number;
  }) {
    this.#open = options.open;
    this.#close = options.close;
    this.#now = options.now;
  }

  /** Holds a file open; null where there is none. What opening raises is raised. */
  async hold(path: string): Promise<Held | null> {
    let file = this.#files.get(path);
    if (file === undefined) {
      file = { opened: this.#open(path), readers: 0, leftAt: 0 };
      this.#files.set(path, file);
    }
    const held = file;
    held.readers += 1;
    let opened: Opened | null = null;
    try {
      opened = await held.opened;
    } finally {
      // What could not be opened is not kept: the next one tries anew.
      if (opened === null) {
        held.readers -= 1;
        if (this.#files.get(path) === held) this.#files.delete(path);
      }
    }
    if (opened === null) return null;
    return { ...opened, release: () => this.#release(path, held) };
  }

  /** Has those who come from now on open it anew: another file may lie there, or none. */
  forget(path: string): void {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#files.delete(path);
    if (file.readers === 0) this.#end(file);
  }

  /** Closes what nobody reads. */
  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    for (const path of [...this.#files.keys()]) this.forget(path);
  }

  #release(path: string, file: OpenFile): void {
    file.readers -= 1;
    if (file.readers > 0) return;
    if (this.#files.get(path) !== file) {
      this.#end(file);
      return;
    }
    file.leftAt = this.#now();
    this.#files.delete(path);
    this.#files.set(path, file);
    if (this.#files.size > MOST_LINGERING) this.#sweep(true);
    this.#timer ??= setInterval(() => this.#sweep(false), LINGER).unref();
  }

  #sweep(isFull: boolean): void {
    for (const [path, file] of this.#files) {
      if (file.readers > 0) continue;
      if (!isFull && file.leftAt > this.#now() - LINGER) continue;
      this.forget(path);
      if (isFull) return;
    }
    if (this.#files.size > 0 || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #end(file: OpenFile): void {
    file.opened.then((opened) => (opened === null ? undefined : this.#close(opened.number))).catch(() => {});
  }
}

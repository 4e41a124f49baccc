import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Failure } from '../errors.ts';
import type { AudioFacts, AudioReader, MediaKey, MediaPlace } from '../recordings/media.ts';
import type { Given, Said } from './audio-process.ts';

/** How a reader is set up. Times are milliseconds. */
interface ReaderOptions {
  /** How long a file may be worked on, without the time in which its bytes are fetched. */
  readonly longestWork: number;
  /** After how long a process that has nothing to do is ended. */
  readonly longestIdle: number;
  /** What the process runs. */
  readonly entry: URL;
}

const USUAL: ReaderOptions = {
  longestWork: 20_000,
  longestIdle: 30_000,
  entry: new URL('./audio-process.ts', import.meta.url),
};

/** How much of the beginning is given with a file, in bytes: most need no more. */
const HEAD = 65_536;

/**
 * How often it is looked how long a file was worked on, in milliseconds. A machine that was stopped for longer,
 * as when it sleeps or is moved, is not charged to the file.
 */
const TICK = 500;

/** What the parsers may use, in MiB. */
const HEAP = 128;

type Fetch = (first: number, last: number) => Promise<Uint8Array>;

/** A process that reads one file at a time. One that hangs or runs out of memory is killed, and costs that file. */
class AudioProcess {
  readonly #child: ChildProcess;
  #hear: (said: Said | null) => void = () => {};
  #isReady = false;
  #isGone = false;

  constructor(entry: URL) {
    this.#child = fork(fileURLToPath(entry), [], {
      env: {},
      execArgv: [`--max-old-space-size=${HEAP}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (said: Said) => this.#hear(said));
    for (const event of ['error', 'exit']) {
      this.#child.on(event, () => {
        this.#isGone = true;
        this.#hear(null);
      });
    }
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** Facts of a file; null where they cannot be told. @throws Failure unavailable; what `fetch` raises */
  async read(size: number, head: Uint8Array, fetch: Fetch, longestWork: number): Promise<AudioFacts | null> {
    this.#hold(true);
    try {
      if (!this.#isReady) await this.#start(longestWork);
      const time = { left: longestWork };
      for (let given: Given = { kind: 'file', size, bytes: head }; ; ) {
        const said = await this.#listen(time, given);
        if (said?.kind === 'found') return said.facts;
        if (said?.kind !== 'want') break;
        given = { kind: 'range', bytes: await fetch(said.first, said.last) };
      }
      this.end();
      return null;
    } catch (error) {
      // Whatever it was about to say is about this file.
      this.end();
      throw error;
    } finally {
      this.#hold(false);
    }
  }

  async #start(time: number): Promise<void> {
    const said = await this.#listen({ left: time });
    this.#isReady = said?.kind === 'ready';
    if (this.#isReady) return;
    throw new Failure(
      'unavailable',
      'the process that reads audio does not start; look at memory and at the limit of processes',
      { retryAfter: 5 },
    );
  }

  /**
   * What it says next, after it was given something; null where it says nothing in the time that is left, or
   * has ended. What it takes of that time is taken off.
   */
  async #listen(time: { left: number }, given?: Given): Promise<Said | null> {
    let last = performance.now();
    const charge = () => {
      const now = performance.now();
      time.left -= Math.min(now - last, 2 * TICK);
      last = now;
    };
    let timer: NodeJS.Timeout | undefined;
    const said = await new Promise<Said | null>((resolve) => {
      this.#hear = resolve;
      const look = () => {
        charge();
        if (time.left <= 0) resolve(null);
        else timer = setTimeout(look, Math.min(time.left, TICK));
      };
      timer = setTimeout(look, Math.min(time.left, TICK));
      if (this.#isGone) resolve(null);
      // Where it cannot be given anything it has ended, or is about to.
      else if (given !== undefined) this.#child.send(given, () => {});
    });
    clearTimeout(timer);
    charge();
    return said;
  }

  /** Whether our own process waits for this one before it ends. */
  #hold(isHeld: boolean): void {
    for (const each of [this.#child, this.#child.channel]) {
      if (isHeld) each?.ref();
      else each?.unref();
    }
  }

  /** Nothing but this ends a loop for certain. */
  end(): void {
    this.#isGone = true;
    this.#child.kill('SIGKILL');
  }
}

/**
 * Reads audio in a process of its own, one file after another: parsers of hostile files may loop without end
 * or use all memory, which must cost that file alone. (A thread will not do: loops were seen that survive its
 * end and its limit.) The process is started with the first file.
 */
export class SeparateAudioReader implements AudioReader {
  readonly #options: ReaderOptions;
  #process: AudioProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: Partial<ReaderOptions> = {}) {
    this.#options = { ...USUAL, ...options };
  }

  async read(place: MediaPlace, key: MediaKey, bytes: number): Promise<AudioFacts> {
    const fetch: Fetch = (first, last) => fetchRange(place, key, first, last);
    const head = bytes === 0 ? new Uint8Array() : await fetch(0, Math.min(bytes, HEAD) - 1);
    const facts = await this.#inTurn(async () => {
      clearTimeout(this.#idle);
      if (this.#process?.isGone !== false) this.#process = new AudioProcess(this.#options.entry);
      try {
        return await this.#process.read(bytes, head, fetch, this.#options.longestWork);
      } finally {
        this.#idle = setTimeout(() => this.#process?.end(), this.#options.longestIdle).unref();
      }
    });
    if (facts !== null) return facts;
    throw new Failure(
      'unsupported_media_type',
      'this is no audio that can be read: it has to be WAV, MP3, Ogg (Opus), M4A or FLAC',
    );
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    await this.#inTurn(async () => {
      clearTimeout(this.#idle);
      this.#process?.end();
    });
  }
}

/** Bytes `first` to `last`. @throws Failure unavailable where they cannot be had */
async function fetchRange(
  place: MediaPlace,
  key: MediaKey,
  first: number,
  last: number,
): Promise<Uint8Array> {
  const stream = await place.open(key, { first, last });
  const chunks: Uint8Array[] = [];
  let cause: unknown;
  try {
    for await (const chunk of stream ?? []) chunks.push(chunk);
  } catch (error) {
    if (error instanceof Failure) throw error;
    cause = error;
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length === last - first + 1) return bytes;
  throw new Failure('unavailable', 'audio that was just taken in cannot be read back; try again', {
    retryAfter: 1,
    cause,
  });
}

import { AbstractTokenizer, EndOfStreamError, type IFileInfo, type IReadChunkOptions } from 'strtok3';

/** Fetches bytes `first` to `last`, both included and both within the file. */
export type Fetch = (first: number, last: number) => Promise<Uint8Array>;

/** The least that is fetched at once, in bytes. */
const WINDOW = 65_536;

/** A file whose parser wants more of it than this, in bytes, is not what it says that it is. */
const MOST_FETCHED = 64 * 1024 * 1024;

/** No single piece of a file's headers is longer, in bytes: a table of ten hours of AAC has 7 MB. */
const LONGEST_PIECE = 16 * 1024 * 1024;

/** A file of which only some ranges are fetched; what was fetched last is kept. */
export class RangedFile {
  readonly size: number;
  readonly #fetch: Fetch;
  #fetched = 0;
  #windows: { readonly at: number; readonly bytes: Uint8Array }[];

  /** `head` is what was fetched of its beginning already. */
  constructor(size: number, head: Uint8Array, fetch: Fetch) {
    this.size = size;
    this.#fetch = fetch;
    this.#windows = [{ at: 0, bytes: head }];
  }

  /** Bytes from `at` on, fewer only where the file ends. @throws Error where a parser wants too much */
  async read(at: number, length: number): Promise<Uint8Array> {
    const end = Math.min(at + length, this.size);
    if (end <= at) return new Uint8Array();
    const kept = this.#windows.find((window) => window.at <= at && end <= window.at + window.bytes.length);
    if (kept !== undefined) return kept.bytes.subarray(at - kept.at, end - kept.at);
    const last = Math.min(Math.max(end, at + WINDOW), this.size) - 1;
    this.#fetched += last - at + 1;
    if (this.#fetched > MOST_FETCHED) throw new Error('too much of the file is wanted');
    const bytes = await this.#fetch(at, last);
    // The head is asked for again and again; of the rest a parser needs what lies around its position.
    this.#windows = [...this.#windows.slice(0, 1), { at, bytes }];
    return bytes.subarray(0, end - at);
  }
}

/** Reads a ranged file for the libraries that tell and parse audio. */
export class RangeTokenizer extends AbstractTokenizer {
  readonly fileInfo: IFileInfo;
  readonly #file: RangedFile;

  /** `size` is what parsers are told; without it they read on to the end and estimate nothing. */
  constructor(file: RangedFile, fileInfo: IFileInfo) {
    super({ maxBufferSize: LONGEST_PIECE });
    this.#file = file;
    this.fileInfo = fileInfo;
  }

  supportsRandomAccess(): boolean {
    return this.fileInfo.size !== undefined;
  }

  setPosition(position: number): void {
    this.validateLength(position, 'position');
    this.position = position;
  }

  async peekBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    const { length, position, mayBeLess } = this.normalizeOptions(target, options);
    const bytes = await this.#file.read(position, length);
    if (bytes.length < length && mayBeLess !== true) throw new EndOfStreamError();
    target.set(bytes);
    return bytes.length;
  }

  async readBuffer(target: Uint8Array, options?: IReadChunkOptions): Promise<number> {
    const read = await this.peekBuffer(target, options);
    this.position = (options?.position ?? this.position) + read;
    return read;
  }
}

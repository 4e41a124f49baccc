import { randomUUID } from 'node:crypto';
import { close, constants, createReadStream, fstat, open as openFile, read } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, rename, statfs, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';
import type { ByteRange, MediaFile, MediaKey, MediaPlace, StoredMedia } from '../recordings/media.ts';
import { Counted } from './counted.ts';
import { type Opened, OpenFiles } from './open-files.ts';
import { placeOf, readContactCenter, readName } from './paths.ts';

/** What of the system's errors can be mended, and after how many seconds a retry makes sense (errno(3)). */
const MENDS: Readonly<Record<string, readonly [mend: string, retryAfter: number]>> = {
  ENOSPC: ['the disk is full; free some space', 30],
  EDQUOT: ['its quota is used up; free some space', 30],
  EROFS: ['it is mounted read-only; mount it anew', 30],
  EACCES: ['this process may not; mend its permissions', 30],
  EPERM: ['this process may not; mend its permissions', 30],
  EMFILE: ['too many files are open; try again in a moment, or raise the limit (ulimit -n)', 1],
  ENFILE: ['too many files are open; try again in a moment, or raise the limit (ulimit -n)', 1],
};

/** How much is read at once for a player, in bytes: more are fewer calls, fewer are less memory. */
const READ_AHEAD = 131_072;

// What lies in our folders under our names is a file of ours, and never a way out of them.
const { O_RDONLY, O_NOFOLLOW } = constants;
// File handles cost twice what numbers do.
const openNumber = promisify(openFile);
const readNumber = promisify(read);
const closeNumber = promisify(close);

const statNumber = promisify(fstat);

async function openWhole(path: string): Promise<Opened> {
  const number = await openNumber(path, O_RDONLY | O_NOFOLLOW);
  try {
    return { number, bytes: (await statNumber(number)).size };
  } catch (error) {
    await closeNumber(number);
    throw error;
  }
}

const codeOf = (error: unknown) =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** A folder on a disk. Whatever is told as kept was written through to the disk, and so were its folders. */
export class DiskPlace implements MediaPlace {
  readonly #root: string;
  /** Where uploads wait until they are whole: one folder, so that what killed processes left is found at once. */
  readonly #unfinished: string;
  /** Folders whose own entries are known to be on the disk. */
  readonly #kept = new Set<string>();
  readonly #files = new OpenFiles({
    open: (path) => this.#find(() => openWhole(path)),
    close: closeNumber,
    now: Date.now,
  });

  /** Touches nothing yet; folders are made when audio comes. */
  constructor(folder: string) {
    this.#root = resolve(folder);
    this.#unfinished = join(this.#root, 'unfinished');
  }

  #shelfOf(key: MediaKey): string {
    return join(this.#root, placeOf(key).shelf);
  }

  #pathOf(key: MediaKey): string {
    return join(this.#shelfOf(key), placeOf(key).name);
  }

  async put(key: MediaKey, content: Readable): Promise<{ bytes: number; sha256: string }> {
    const shelf = this.#shelfOf(key);
    const unfinished = join(this.#unfinished, randomUUID());
    const counted = new Counted(content);
    try {
      const file = await this.#try(() => this.#create(unfinished));
      await this.#write(file, counted);
      await this.#try(async () => {
        await this.#move(unfinished, shelf, this.#pathOf(key));
        this.#files.forget(this.#pathOf(key));
        await this.#keep(shelf);
      });
      return { bytes: counted.bytes, sha256: counted.sha256() };
    } catch (error) {
      content.destroy();
      await unlink(unfinished).catch(() => {});
      throw error;
    }
  }

  /** Writes a stream to a file and closes it; what the stream raises goes on as it is. */
  async #write(file: FileHandle, content: Counted): Promise<void> {
    try {
      for await (const chunk of content.chunks()) await this.#try(() => writeAll(file, chunk));
      await this.#try(() => file.sync());
    } finally {
      await file.close().catch(() => {});
    }
  }

  async #create(path: string): Promise<FileHandle> {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await makeFolders(dirname(path));
      return open(path, 'wx', 0o600);
    }
  }

  async #move(from: string, shelf: string, to: string): Promise<void> {
    try {
      await rename(from, to);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      await makeFolders(shelf);
      await rename(from, to);
    }
  }

  /** Resolves when a folder's entries are on the disk, and its own entry in the folder above, and so on. */
  async #keep(shelf: string): Promise<void> {
    await syncFolder(shelf);
    for (let folder = shelf; !this.#kept.has(folder); folder = dirname(folder)) {
      const above = dirname(folder);
      if (above === folder) return;
      // Folders above ours may be ones that we may not read; whoever made them keeps them.
      if (folder.length <= this.#root.length) await syncFolder(above).catch(() => {});
      else await syncFolder(above);
      this.#kept.add(folder);
    }
  }

  async open(key: MediaKey, range?: ByteRange): Promise<Readable | null> {
    const path = this.#pathOf(key);
    const fd = await this.#find(() => openNumber(path, O_RDONLY | O_NOFOLLOW));
    if (fd === null) return null;
    return createReadStream(path, {
      fd,
      highWaterMark: READ_AHEAD,
      ...(range === undefined ? {} : { start: range.first, end: range.last }),
    });
  }

  async openFile(key: MediaKey): Promise<MediaFile | null> {
    const held = await this.#files.hold(this.#pathOf(key));
    if (held === null) return null;
    return {
      bytes: held.bytes,
      read: (buffer, position) =>
        this.#try(async () => (await readNumber(held.number, buffer, 0, buffer.length, position)).bytesRead),
      close: async () => held.release(),
    };
  }

  async find(key: MediaKey): Promise<StoredMedia | null> {
    const path = this.#pathOf(key);
    const found = await this.#find(() => lstat(path));
    return found?.isFile() !== true
      ? null
      : { key, bytes: found.size, modifiedAt: Math.trunc(found.mtimeMs) };
  }

  async remove(...keys: readonly MediaKey[]): Promise<void> {
    const shelves = new Set<string>();
    for (const key of keys) {
      const path = this.#pathOf(key);
      const isGone = await this.#find(() => unlink(path).then(() => true));
      this.#files.forget(path);
      if (isGone !== null) shelves.add(this.#shelfOf(key));
    }
    await this.#try(() => Promise.all([...shelves].map(syncFolder)));
  }

  async *list(contactCenterId: number): AsyncIterable<StoredMedia> {
    const top = join(this.#root, String(contactCenterId));
    for await (const shelf of this.#entries(top)) {
      for await (const name of this.#entries(join(top, shelf))) {
        const key = readName(contactCenterId, shelf, name);
        const found = key === null ? null : await this.find(key);
        if (found !== null) yield found;
      }
    }
  }

  async *contactCenters(): AsyncIterable<number> {
    for await (const name of this.#entries(this.#root)) {
      const id = readContactCenter(name);
      if (id !== null) yield id;
    }
  }

  async countUnfinished(before: number): Promise<number> {
    let counted = 0;
    for await (const _ of this.#unfinishedFiles(before)) counted += 1;
    return counted;
  }

  async dropUnfinished(before: number): Promise<number> {
    let dropped = 0;
    for await (const path of this.#unfinishedFiles(before)) {
      if ((await this.#find(() => unlink(path).then(() => true))) !== null) dropped += 1;
    }
    return dropped;
  }

  async *#unfinishedFiles(before: number): AsyncIterable<string> {
    for await (const name of this.#entries(this.#unfinished)) {
      const path = join(this.#unfinished, name);
      // One that is still being written has just been changed.
      const found = await this.#find(() => lstat(path));
      if (found !== null && found.mtimeMs < before) yield path;
    }
  }

  async check(): Promise<void> {
    const path = join(this.#unfinished, randomUUID());
    await this.#try(async () => {
      const file = await this.#create(path);
      try {
        await writeAll(file, Buffer.from('rollcall'));
        await file.sync();
      } finally {
        await file.close();
        await unlink(path);
      }
    });
  }

  async freeBytes(): Promise<number> {
    return this.#try(async () => {
      await makeFolders(this.#root);
      const { bavail, bsize } = await statfs(this.#root);
      return bavail * bsize;
    });
  }

  async close(): Promise<void> {
    this.#files.close();
  }

  /** Names in a folder; none where there is no such folder. */
  async *#entries(folder: string): AsyncIterable<string> {
    const entries = await this.#find(() => opendir(folder));
    if (entries === null) return;
    for await (const entry of entries) yield entry.name;
  }

  /** Null where there is no such file. */
  #find<T>(work: () => Promise<T>): Promise<T | null> {
    return this.#try(() =>
      work().catch((error) => {
        if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
        throw error;
      }),
    );
  }

  /** The system's failures in our words; what is not the system's is a bug and passes through. */
  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      if (!/^E[A-Z0-9]+$/.test(code)) throw error;
      const [mend, retryAfter] = MENDS[code] ?? [`it fails with ${code}; look at the disk`, 30];
      throw new Failure('unavailable', `cannot use the media folder ${this.#root}: ${mend}`, {
        retryAfter,
        cause: error,
      });
    }
  }
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at);
    at += bytesWritten;
  }
}

/** Makes a folder and those above it, for their owner alone. */
async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return;
    // One by one: Node's own way of making all of them never ends where a parent takes no folders, as /proc.
    if (codeOf(error) !== 'ENOENT' || dirname(folder) === folder) throw error;
    await makeFolders(dirname(folder));
    await mkdir(folder, { mode: 0o700 }).catch((again) => {
      if (codeOf(again) !== 'EEXIST') throw again;
    });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { Failure } from '../../src/errors.ts';
import { DiskPlace } from '../../src/media/disk.ts';
import type { AudioReader } from '../../src/recordings/media.ts';
import { openStore, type Store } from '../../src/store/open.ts';
import { addUsers, person } from '../contract/people.ts';

/** When everything in these tests happens. */
export const NOW = Date.UTC(2026, 2, 1);

/** A WAV file of 16-bit mono samples at 8 kHz, with these bytes behind its head (RFC 2361, WAVE_FORMAT_PCM). */
export function wav(samples: Buffer): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0, 'latin1');
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8, 'latin1');
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36, 'latin1');
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Knows WAV files as `wav` makes them, and nothing else. */
export const wavReader: AudioReader = {
  async read(place, key, bytes) {
    const stream = await place.open(key);
    if (stream === null) throw new Error('nothing was put');
    const [first = Buffer.alloc(0)] = await stream.take(1).toArray();
    if (first.toString('latin1', 0, 4) !== 'RIFF') {
      throw new Failure('unsupported_media_type', 'no audio that is known');
    }
    return { mediaType: 'audio/wav', seconds: (bytes - 44) / 16_000 };
  },
  close: async () => {},
};

export interface Center {
  readonly store: Store;
  readonly contactCenter: ContactCenter;
  readonly main: DiskPlace;
  /** A new UUID each time. */
  readonly newId: () => string;
  /** The files that the place holds, by their path in it. */
  files(): Promise<Map<string, Buffer>>;
}

/** Opens a store with a contact center of ten users, and a folder for audio, for the tests of the enclosing group. */
export function useCenter(): Center {
  let folder = '';
  let store: Store;
  let contactCenter: ContactCenter;
  let main: DiskPlace;
  let made = 0;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-recordings-'));
    store = await openStore({ data: folder, dialects: [], now: () => NOW, cacheMiB: 8 });
    contactCenter = await store.access.createContactCenter('north', 'Europe/Istanbul', NOW);
    await addUsers(
      store,
      contactCenter,
      Array.from({ length: 10 }, (_, at) =>
        person(at + 1, { email: `person${at + 1}@example.com`, dialectNumbers: {} }),
      ),
    );
    main = new DiskPlace(join(folder, 'media'));
  });
  after(async () => {
    await main?.close();
    await store?.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    get store() {
      return store;
    },
    get contactCenter() {
      return contactCenter;
    },
    get main() {
      return main;
    },
    newId: () => {
      made += 1;
      return `0190000a-0000-7000-8000-${String(made).padStart(12, '0')}`;
    },
    async files() {
      const root = join(folder, 'media');
      const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
      const found = new Map<string, Buffer>();
      for (const entry of entries) {
        if (entry.isFile()) found.set(entry.name, await readFile(join(entry.parentPath, entry.name)));
      }
      return found;
    },
  };
}

/** The whole of a stream. */
export async function readAll(stream: Readable | null): Promise<Buffer> {
  if (stream === null) throw new Error('there is nothing to read');
  return Buffer.concat(await stream.toArray());
}

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { MediaPlace } from '../../src/recordings/media.ts';

interface InMemory {
  readonly content: Buffer;
  readonly modifiedAt: number;
  /** Whose it is; whoever's asks where nobody is named. */
  readonly contactCenterId?: number;
}

/** Audio in memory, by UUID: what a place is, without a disk. */
export interface MemoryPlace extends MediaPlace {
  readonly audio: Map<string, InMemory>;
}

/** A place in memory; what is put into it is as old as `now` says. */
export function createMemoryPlace(now: () => number): MemoryPlace {
  const audio: MemoryPlace['audio'] = new Map();
  return {
    audio,
    async put({ id }, content) {
      const all = Buffer.concat(await content.toArray());
      audio.set(id, { content: all, modifiedAt: now() });
      return { bytes: all.length, sha256: createHash('sha256').update(all).digest('hex') };
    },
    async open({ id }) {
      const found = audio.get(id);
      return found === undefined ? null : Readable.from([found.content]);
    },
    async find(key) {
      const found = audio.get(key.id);
      if (found === undefined) return null;
      return { key, bytes: found.content.length, modifiedAt: found.modifiedAt };
    },
    async remove(...keys) {
      for (const { id } of keys) audio.delete(id);
    },
    async *list(contactCenterId) {
      for (const [id, { content, modifiedAt, contactCenterId: whose = contactCenterId }] of audio) {
        if (whose === contactCenterId) {
          yield { key: { contactCenterId, id }, bytes: content.length, modifiedAt };
        }
      }
    },
    async *contactCenters() {
      const named = [...audio.values()].map(({ contactCenterId }) => contactCenterId);
      yield* new Set(named.filter((id) => id !== undefined));
    },
    countUnfinished: async () => 0,
    dropUnfinished: async () => 0,
    check: async () => {},
    freeBytes: async () => null,
    close: async () => {},
  };
}

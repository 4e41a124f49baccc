import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { v7 as uuidV7 } from 'uuid';
import type { MediaKey, MediaPlace, StoredMedia } from '../../src/recordings/media.ts';

/** A kind of place under test. */
export interface PlaceUnderTest {
  readonly name: string;
  /** Opens a place that holds nothing yet. */
  open(): Promise<MediaPlace>;
  /** Lets go of it and all that it held. */
  drop(place: MediaPlace): Promise<void>;
  /** Begins an upload as a process would that is then killed: nothing of it is whole. */
  leaveUnfinished(place: MediaPlace): Promise<void>;
  /** The names of everything that lies there, whole or not, ours or not. */
  everything(place: MediaPlace): Promise<string[]>;
}

const newKey = (contactCenterId = 1): MediaKey => ({ contactCenterId, id: uuidV7() });
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Streams bytes in pieces that are no round number, as a network gives them. */
function streamOf(bytes: Buffer, piece = 50_001): Readable {
  const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, at) =>
    bytes.subarray(at * piece, (at + 1) * piece),
  );
  return Readable.from(pieces, { objectMode: false });
}

async function read(stream: Readable | null): Promise<Buffer> {
  assert.ok(stream !== null, 'there is something');
  return Buffer.concat(await stream.toArray());
}

async function listed(place: MediaPlace, contactCenterId: number): Promise<StoredMedia[]> {
  return Array.fromAsync(place.list(contactCenterId));
}

/** What every place for audio must do. */
export function describeMediaPlace(kind: PlaceUnderTest): void {
  describe(`${kind.name} as a place for audio`, () => {
    let place: MediaPlace;
    before(async () => {
      place = await kind.open();
    });
    after(() => kind.drop(place));

    /** What this test alone adds to what lies there. */
    const added = async (work: () => Promise<unknown>): Promise<string[]> => {
      const were = new Set(await kind.everything(place));
      await work();
      return (await kind.everything(place)).filter((name) => !were.has(name));
    };

    for (const size of [0, 1, 65_536, 3_000_017]) {
      it(`gives back ${size} bytes as they came, with their size and SHA-256`, async () => {
        const [key, bytes] = [newKey(), randomBytes(size)];
        assert.deepEqual(await place.put(key, streamOf(bytes)), { bytes: size, sha256: sha256(bytes) });
        assert.ok((await read(await place.open(key))).equals(bytes));
        const found = await place.find(key);
        assert.equal(found?.bytes, size);
        assert.ok(Math.abs(Date.now() - (found?.modifiedAt ?? 0)) < 600_000, 'it is from just now');
      });
    }

    it('gives more than one part of an upload back as it came', async () => {
      const [key, bytes] = [newKey(), randomBytes(20_000_003)];
      assert.deepEqual(await place.put(key, streamOf(bytes)), { bytes: bytes.length, sha256: sha256(bytes) });
      assert.equal(sha256(await read(await place.open(key))), sha256(bytes));
    });

    it('gives ranges, both ends included, and leaves out what lies behind the end', async () => {
      const [key, bytes] = [newKey(), randomBytes(200_000)];
      await place.put(key, streamOf(bytes));
      for (const [first, last] of [
        [0, 1],
        [0, 199_999],
        [70_000, 199_998],
        [199_999, 199_999],
        [199_990, 500_000],
        [200_000, 200_001],
      ] as const) {
        const found = await read(await place.open(key, { first, last }));
        assert.ok(found.equals(bytes.subarray(first, last + 1)), `bytes ${first} to ${last}`);
      }
    });

    it('says where there is nothing', async () => {
      const key = newKey();
      assert.equal(await place.open(key), null);
      assert.equal(await place.open(key, { first: 0, last: 1 }), null);
      assert.equal(await place.find(key), null);
      assert.deepEqual(await listed(place, 987_654), []);
      assert.ok(!(await Array.fromAsync(place.contactCenters())).includes(987_654));
    });

    it('puts audio in place of what was there', async () => {
      const [key, bytes] = [newKey(), randomBytes(1000)];
      await place.put(key, streamOf(randomBytes(5000)));
      await place.put(key, streamOf(bytes));
      assert.ok((await read(await place.open(key))).equals(bytes));
    });

    it('keeps one whole upload where two come at once for one key', async () => {
      const key = newKey();
      const both = [randomBytes(300_000), randomBytes(300_000)];
      const names = await added(() => Promise.all(both.map((bytes) => place.put(key, streamOf(bytes)))));
      const kept = await read(await place.open(key));
      assert.ok(both.some((bytes) => bytes.equals(kept)));
      assert.equal(names.length, 1);
    });

    it('keeps contact centers apart', async () => {
      const key = newKey(41);
      await place.put(key, streamOf(Buffer.from('one')));
      await place.put({ ...key, contactCenterId: 4 }, streamOf(Buffer.from('other')));
      assert.equal(String(await read(await place.open(key))), 'one');
      assert.equal((await listed(place, 41)).length, 1);
      assert.equal((await listed(place, 4)).length, 1);
      await place.remove(key);
      assert.equal(String(await read(await place.open({ ...key, contactCenterId: 4 }))), 'other');
    });

    it('lists what is there, each with its size', async () => {
      const keys = Array.from({ length: 30 }, () => newKey(7));
      for (const [at, key] of keys.entries()) await place.put(key, streamOf(Buffer.alloc(at)));
      const found = await listed(place, 7);
      const told = found.map(({ key, bytes }) => `${key.id} ${bytes}`).sort();
      assert.deepEqual(told, keys.map((key, at) => `${key.id} ${at}`).sort());
      for (const { key, modifiedAt } of found) {
        assert.equal(key.contactCenterId, 7);
        assert.ok(Math.abs(Date.now() - modifiedAt) < 600_000, 'it is from just now');
      }
    });

    it('tells which contact centers have audio, whoever knows of them', async () => {
      for (const id of [51, 51, 5, 987_654_321]) await place.put(newKey(id), streamOf(Buffer.from('x')));
      const told = await Array.fromAsync(place.contactCenters());
      assert.equal(new Set(told).size, told.length, 'each once');
      for (const id of [51, 5, 987_654_321]) assert.ok(told.includes(id), `${id}`);
      for (const id of told) assert.ok(Number.isSafeInteger(id) && id > 0, `${id}`);
    });

    it('lets go of one, of many, and of what is not there', async () => {
      const keys = Array.from({ length: 20 }, () => newKey(8));
      for (const key of keys) await place.put(key, streamOf(Buffer.from('x')));
      const [first = newKey(8), ...rest] = keys;
      await place.remove(first);
      assert.equal(await place.find(first), null);
      assert.equal((await listed(place, 8)).length, 19);
      await place.remove(first, newKey(8), ...rest);
      await place.remove();
      assert.deepEqual(await listed(place, 8), []);
    });

    it('gives bytes from anywhere in a file that is held open, and what lies there now', async (t) => {
      if (place.openFile === undefined) return t.skip('this place opens no files');
      const key = newKey();
      assert.equal(await place.openFile(key), null);
      const first = randomBytes(100_000);
      await place.put(key, streamOf(first));
      const readAll = async () => {
        const file = await place.openFile?.(key);
        assert.ok(file != null);
        const buffer = Buffer.alloc(200_000);
        const bytes = await file.read(buffer, 10);
        assert.equal(await file.read(buffer.subarray(bytes), 10 + bytes), 0);
        await file.close();
        return buffer.subarray(0, bytes);
      };
      assert.deepEqual(await readAll(), first.subarray(10));
      const second = randomBytes(90_000);
      await place.put(key, streamOf(second));
      assert.deepEqual(await readAll(), second.subarray(10));
      await place.remove(key);
      assert.equal(await place.openFile(key), null);
    });

    it('goes on giving what it has begun to give when it is let go', async () => {
      const [key, bytes] = [newKey(), randomBytes(1_000_000)];
      await place.put(key, streamOf(bytes));
      const stream = await place.open(key);
      await place.remove(key);
      assert.ok((await read(stream)).equals(bytes));
    });

    it('raises what the source raises, and keeps nothing of it', async () => {
      const key = newKey();
      const broken = new Error('hung up');
      for (const size of [0, 100_000, 12_000_000]) {
        const names = await added(() =>
          assert.rejects(
            place.put(
              key,
              Readable.from(
                (async function* () {
                  for (let at = 0; at < size; at += 100_000) yield Buffer.alloc(100_000);
                  throw broken;
                })(),
                { objectMode: false },
              ),
            ),
            broken,
          ),
        );
        assert.deepEqual(names, [], `after ${size} bytes`);
        assert.equal(await place.find(key), null);
      }
    });

    it('leaves what was there where an upload in its place breaks off', async () => {
      const [key, bytes] = [newKey(), randomBytes(1000)];
      await place.put(key, streamOf(bytes));
      const broken = new Readable({ read() {} });
      broken.push(Buffer.alloc(500));
      const put = place.put(key, broken);
      broken.destroy(new Error('hung up'));
      await assert.rejects(put, /hung up/);
      assert.ok((await read(await place.open(key))).equals(bytes));
    });

    it('takes a source that has already ended badly for one that breaks off', async () => {
      const gone = new Readable({ read() {} });
      gone.destroy();
      const names = await added(() => assert.rejects(place.put(newKey(), gone), { name: 'Error' }));
      assert.deepEqual(names, []);
    });

    it('takes nothing but ids for a name', async () => {
      const id = uuidV7();
      const tricks: MediaKey[] = [
        { contactCenterId: 1, id: `../${id}` },
        { contactCenterId: 1, id: `${id}/../../../../etc/passwd` },
        { contactCenterId: 1, id: id.toUpperCase() },
        { contactCenterId: 1, id: `${id}\0` },
        { contactCenterId: 1, id: '' },
        { contactCenterId: 0, id },
        { contactCenterId: -1, id },
        { contactCenterId: 1.5, id },
      ];
      const names = await added(async () => {
        for (const key of tricks) {
          await assert.rejects(place.put(key, streamOf(Buffer.from('x'))), /ids alone/);
          await assert.rejects(place.open(key), /ids alone/);
          await assert.rejects(place.find(key), /ids alone/);
          await assert.rejects(place.remove(key), /ids alone/);
        }
      });
      assert.deepEqual(names, []);
    });

    it('finds what killed uploads left, and leaves young ones and whole ones alone', async () => {
      const key = newKey(9);
      await place.put(key, streamOf(Buffer.from('whole')));
      await place.dropUnfinished(Date.now() + 3_600_000);
      const names = await added(() => kind.leaveUnfinished(place));
      assert.equal(names.length, 1);
      assert.equal((await listed(place, 9)).length, 1);
      assert.equal(await place.countUnfinished(Date.now() - 3_600_000), 0);
      assert.equal(await place.dropUnfinished(Date.now() - 3_600_000), 0);
      assert.equal(await place.countUnfinished(Date.now() + 3_600_000), 1);
      assert.equal(await place.dropUnfinished(Date.now() + 3_600_000), 1);
      assert.equal(await place.countUnfinished(Date.now() + 3_600_000), 0);
      assert.deepEqual(
        (await kind.everything(place)).filter((name) => names.includes(name)),
        [],
      );
      assert.equal(String(await read(await place.open(key))), 'whole');
    });

    it('says that it can be written to, and leaves nothing behind', async () => {
      assert.deepEqual(await added(() => place.check()), []);
      const free = await place.freeBytes();
      assert.ok(free === null || free > 0);
    });
  });
}

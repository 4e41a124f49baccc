import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidV7 } from 'uuid';
import { Failure } from '../../src/errors.ts';
import { S3Place } from '../../src/media/s3.ts';
import type { MediaKey, MediaPlace } from '../../src/recordings/media.ts';
import { BucketUnderTest, describeWithS3, ENDPOINT } from '../contract/s3-under-test.ts';
import { type Fault, FlakyProxy } from './flaky-proxy.ts';

/** Long enough for a busy machine, short enough for a test. */
const PATIENCE = { connect: 1500, idle: 1500, attempts: 2 };

const newKey = (): MediaKey => ({ contactCenterId: 1, id: uuidV7() });
const inAnHour = () => Date.now() + 3_600_000;

/** Audio without end, and how much of it was taken. */
function endless(): { stream: Readable; taken: () => number } {
  let taken = 0;
  const stream = new Readable({
    read() {
      taken += 65_536;
      this.push(Buffer.alloc(65_536, taken % 251));
    },
  });
  return { stream, taken: () => taken };
}

function isUnavailable(error: unknown): true {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.kind, 'unavailable');
  assert.ok(Number(error.retryAfter) > 0, 'says when to try again');
  return true;
}

/** A bucket, and a place in it that is reached through trouble. */
interface Trouble {
  readonly bucket: BucketUnderTest;
  readonly proxy: FlakyProxy;
  readonly place: S3Place;
  /** The same place without the trouble. */
  readonly direct: S3Place;
  /** Sets what happens from now on, also to connections that are open. */
  set(fault: Fault): void;
  /** Keeps audio, without the trouble. */
  keep(bytes: Buffer): Promise<MediaKey>;
  /** Names of what is left of a key, whole or not. */
  left(key: MediaKey): Promise<string[]>;
}

/** Runs a test in a bucket of its own: these wait most of the time, and do so together. */
async function withTrouble(work: (trouble: Trouble) => Promise<void>): Promise<void> {
  const bucket = await new BucketUnderTest().make();
  const proxy = await FlakyProxy.start(ENDPOINT ?? '');
  const place = bucket.open('calls', proxy.url, PATIENCE);
  const direct = bucket.open('calls');
  try {
    await work({
      bucket,
      proxy,
      place,
      direct,
      set(fault) {
        proxy.fault = fault;
        proxy.hangUp();
      },
      async keep(bytes) {
        const key = newKey();
        await direct.put(key, Readable.from([bytes]));
        return key;
      },
      left: async (key) => (await bucket.everything()).filter((name) => name.includes(key.id)),
    });
  } finally {
    await Promise.all([place.close(), direct.close(), proxy.stop()]);
    await bucket.drop();
  }
}

describeWithS3('a bucket in trouble', { timeout: 120_000, concurrency: true }, () => {
  const everyUse: [what: string, use: (place: MediaPlace, key: MediaKey) => Promise<unknown>][] = [
    ['put', (from) => from.put(newKey(), Readable.from([Buffer.from('tone')]))],
    ['open', (from, key) => from.open(key)],
    ['find', (from, key) => from.find(key)],
    ['remove', (from, key) => from.remove(key)],
    ['list', (from) => Array.fromAsync(from.list(1))],
    ['dropUnfinished', (from) => from.dropUnfinished(inAnHour())],
    ['check', (from) => from.check()],
  ];

  for (const fault of ['hangs', 'busy'] as const) {
    it(`is unavailable in every use while it ${fault === 'busy' ? 'answers 503' : fault}`, () =>
      withTrouble(async ({ keep, set, place }) => {
        const key = await keep(Buffer.from('tone'));
        set(fault);
        await Promise.all(
          everyUse.map(([what, use]) => assert.rejects(use(place, key), isUnavailable, what)),
        );
        set('none');
        assert.equal((await place.find(key))?.bytes, 4);
      }));

    it(`takes little of an upload while it ${fault === 'busy' ? 'answers 503' : fault}, and keeps nothing`, () =>
      withTrouble(async ({ set, place, direct }) => {
        set(fault);
        const [key, { stream, taken }] = [newKey(), endless()];
        await assert.rejects(place.put(key, stream), isUnavailable);
        assert.ok(stream.destroyed);
        assert.ok(taken() < 32 * 1024 * 1024, `${taken()} bytes taken`);
        assert.equal(await direct.find(key), null);
      }));
  }

  it('is tried again where it is busy for a moment', () =>
    withTrouble(async ({ set, place }) => {
      const key = newKey();
      set('busy once');
      assert.equal((await place.put(key, Readable.from([Buffer.from('tone')]))).bytes, 4);
      set('busy once');
      assert.equal((await place.find(key))?.bytes, 4);
    }));

  it('lets go of the parts of an upload that failed', () =>
    withTrouble(async ({ set, place, left }) => {
      const key = newKey();
      set({ cutsRequestsAt: 4_000_000 });
      await assert.rejects(place.put(key, endless().stream), isUnavailable);
      assert.deepEqual(await left(key), []);
    }));

  it('finds parts later where it could not let go of them then', () =>
    withTrouble(async ({ set, place, direct, left }) => {
      const key = newKey();
      const source = Readable.from(
        (async function* () {
          for (let at = 0; at < 120; at++) yield randomBytes(100_000);
          while ((await left(key)).length === 0) await sleep(50);
          // Swift's times are whole seconds.
          await sleep(1100);
          const middle = Date.now();
          assert.equal(await direct.countUnfinished(middle), 1);
          await sleep(1100);
          for (let at = 0; at < 120; at++) yield randomBytes(100_000);
          // Begun before, and still moving.
          while ((await direct.countUnfinished(middle)) > 0) await sleep(50);
          set('hangs');
          yield* endless().stream;
        })(),
        { objectMode: false },
      );
      await assert.rejects(place.put(key, source), isUnavailable);
      set('none');
      assert.equal(await place.countUnfinished(Date.now() - 3_600_000), 0);
      assert.equal(await place.countUnfinished(inAnHour()), 1);
      assert.equal(await place.dropUnfinished(inAnHour()), 1);
      assert.equal(await place.find(key), null);
    }));

  it('refuses what was damaged on its way', () =>
    withTrouble(async ({ set, place, left }) => {
      set('damages');
      for (const size of [1000, 7_000_000]) {
        const key = newKey();
        await assert.rejects(place.put(key, Readable.from([randomBytes(size)])), isUnavailable);
        assert.deepEqual(await left(key), []);
      }
    }));

  it('ends a stream with an error where it cuts off or stops, and never as if it were whole', () =>
    withTrouble(async ({ set, place, keep }) => {
      const key = await keep(randomBytes(2_000_000));
      set({ cutsAnswersAt: 1_000_000 });
      await assert.rejects((await place.open(key))?.toArray() ?? assert.fail());
      for (const stallsAnswersAt of [1_000_000, 'body'] as const) {
        set({ stallsAnswersAt });
        await assert.rejects((await place.open(key))?.toArray() ?? assert.fail(), isUnavailable);
      }
    }));

  it('waits for whoever reads slowly', () =>
    withTrouble(async ({ place, keep }) => {
      const bytes = randomBytes(3_000_000);
      const stream = await place.open(await keep(bytes));
      const hash = createHash('sha256');
      let count = 0;
      for await (const chunk of stream ?? assert.fail()) {
        // Longer than nothing may move.
        if (count++ === 3) await sleep(2 * PATIENCE.idle);
        hash.update(chunk);
      }
      assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
    }));

  it('lets go of the connection where a reader goes away', () =>
    withTrouble(async ({ set, place, keep, proxy }) => {
      const key = await keep(randomBytes(8_000_000));
      set('none');
      for (let times = 0; times < 3; times++) {
        const stream = (await place.open(key)) ?? assert.fail();
        for await (const _ of stream) break;
        assert.ok(stream.destroyed);
        // The rest of it is wanted by nobody.
        while (proxy.connections > 0) await sleep(10);
      }
    }));

  it('is refused by its check where it keeps old versions of what is let go', () =>
    withTrouble(async ({ set, place }) => {
      await place.check();
      set('keeps versions');
      await assert.rejects(place.check(), { kind: 'unavailable', message: /suspend its versioning/ });
    }));

  it('says what is wrong with how it is reached', () =>
    withTrouble(async ({ bucket }) => {
      const open = (options: { bucket?: string; endpoint?: string }) =>
        new S3Place(
          {
            bucket: bucket.name,
            prefix: '',
            endpoint: ENDPOINT ?? '',
            region: null,
            pathStyle: true,
            ...options,
          },
          PATIENCE,
        );
      const missing = open({ bucket: `${bucket.name}-not` });
      const told = { kind: 'unavailable', message: /no such bucket/ };
      await assert.rejects(missing.open(newKey()), told);
      await assert.rejects(missing.put(newKey(), Readable.from([Buffer.from('x')])), told);
      await assert.rejects(Array.fromAsync(missing.list(1)), told);
      // Nobody must take a wrong name for audio that is lost.
      await assert.rejects(missing.find(newKey()), isUnavailable);
      const gone = { kind: 'unavailable', message: /nothing answers there; look at --s3-endpoint/ };
      await assert.rejects(open({ endpoint: 'http://127.0.0.1:1' }).check(), gone);
      const unknown = { kind: 'unavailable', message: /host is not known/ };
      await assert.rejects(open({ endpoint: 'http://nowhere.invalid' }).check(), unknown);
    }));

  it('gives URLs that say what they give, and for a while only', () =>
    withTrouble(async ({ direct, keep }) => {
      const bytes = randomBytes(5000);
      const key = await keep(bytes);
      const disposition = 'attachment; filename="call 7.wav"';
      const url = await direct.presign(key, { seconds: 60, mediaType: 'audio/wav', disposition });
      const whole = await fetch(url);
      assert.equal(whole.status, 200);
      assert.equal(whole.headers.get('content-type'), 'audio/wav');
      assert.equal(whole.headers.get('content-disposition'), disposition);
      assert.ok(Buffer.from(await whole.arrayBuffer()).equals(bytes));
      const part = await fetch(url, { headers: { range: 'bytes=10-19' } });
      assert.equal(part.status, 206);
      assert.ok(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(10, 20)));
      const other = await fetch(url.replace(key.id, newKey().id));
      assert.equal(other.status, 403);
      await other.body?.cancel();
      const late = await fetch(url.replace(/X-Amz-Date=\d{8}/, 'X-Amz-Date=20200101'));
      assert.equal(late.status, 403);
      await late.body?.cancel();
    }));
});

// Alone: the SDK finds its keys in the environment.
describeWithS3('a bucket and its keys', {}, () => {
  it('says what is wrong with the keys', () =>
    withTrouble(async ({ bucket }) => {
      const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = process.env;
      try {
        process.env.AWS_SECRET_ACCESS_KEY = 'another';
        const refused = { kind: 'unavailable', message: /refuses the keys; look at AWS_ACCESS_KEY_ID/ };
        await assert.rejects(bucket.open('').check(), refused);
        await assert.rejects(bucket.open('').find(newKey()), refused);
        delete process.env.AWS_ACCESS_KEY_ID;
        process.env.AWS_EC2_METADATA_DISABLED = 'true';
        await assert.rejects(bucket.open('').check(), { kind: 'unavailable', message: /no keys were found/ });
      } finally {
        Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
        delete process.env.AWS_EC2_METADATA_DISABLED;
      }
    }));
});

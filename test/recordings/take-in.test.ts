import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { Failure, type FailureKind } from '../../src/errors.ts';
import type { MediaPlace } from '../../src/recordings/media.ts';
import type { RecordingStore } from '../../src/recordings/ports.ts';
import { type Arriving, createTakeIn, type TakeInDeps } from '../../src/recordings/take-in.ts';
import { eventOf, said } from '../contract/recordings-contract.ts';
import { NOW, readAll, useCenter, wav, wavReader } from './center.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const gives = (bytes: Buffer) => () => Readable.from([bytes.subarray(0, 50), bytes.subarray(50)]);
const kind = (wanted: FailureKind, reason?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Failure, String(error));
  assert.equal(error.kind, wanted);
  if (reason !== undefined) assert.match(error.message, reason);
  return true;
};
const full = new Failure('unavailable', 'the disk is full', { retryAfter: 30 });

describe('taking a recording in', () => {
  const center = useCenter();

  const takeIn = (changes: Partial<TakeInDeps> = {}) => {
    const deps = { recordings: center.store.recordings, main: center.main, audio: wavReader };
    const run = createTakeIn({
      ...deps,
      now: () => NOW,
      newId: center.newId,
      mostBytes: 1_000_000,
      ...changes,
    });
    return (arriving: Partial<Arriving>) =>
      run(center.contactCenter, {
        said: said({ startedAt: NOW - 60_000 }),
        expected: { bytes: null, sha256: null },
        idempotencyKey: null,
        actor: { kind: 'token', tokenId: 't' },
        open: () => Readable.from([]),
        ...arriving,
      });
  };
  const fresh = () => wav(randomBytes(24_000));
  const total = async () =>
    (await center.store.recordings.page(center.contactCenter, { limit: 1000, count: 'none' })).recordings
      .length;
  /** Runs something that must leave no recording and no file behind. */
  async function leavesNothing(work: () => Promise<unknown>): Promise<void> {
    const [before, files] = [await total(), (await center.files()).size];
    await work();
    assert.equal(await total(), before);
    assert.equal((await center.files()).size, files);
  }

  it('keeps audio and record, and reads the length from the file', async () => {
    const audio = fresh();
    const expected = { bytes: audio.length, sha256: sha256(audio) };
    const { recording, isNew } = await takeIn()({ expected, open: gives(audio) });
    assert.equal(isNew, true);
    assert.deepEqual(
      [recording.state, recording.seconds, recording.endedAt],
      ['stored', 2, NOW - 60_000 + 1500],
    );
    assert.deepEqual(recording.media, { mediaType: 'audio/wav', ...expected });
    const key = { contactCenterId: center.contactCenter.id, id: recording.id };
    assert.deepEqual(await readAll(await center.main.open(key)), audio);
    assert.deepEqual(await center.store.recordings.find(center.contactCenter, recording.number), recording);
    const events = await center.store.audit.page(center.contactCenter, 0, 1000);
    assert.deepEqual(events.at(-1)?.details, { bytes: audio.length });
    assert.deepEqual(events.at(-1)?.actor, { kind: 'token', tokenId: 't' });
  });

  it('tells with its event for how long it is to be kept', async () => {
    const call = said({ startedAt: NOW - 60_000, legalHold: true, keepUntil: NOW });
    await takeIn()({ said: call, open: gives(fresh()) });
    const events = await center.store.audit.page(center.contactCenter, 0, 1000);
    const { bytes: _, ...details } = events.at(-1)?.details ?? {};
    assert.deepEqual(details, { legalHold: true, keepUntil: '2026-03-01T00:00:00.000Z' });
  });

  it('believes the sender about the length and the end of the call', async () => {
    const startedAt = NOW - 600_000;
    for (const [about, seconds, endedAt] of [
      [{ seconds: 77, endedAt: NOW }, 77, NOW],
      [{ seconds: 300 }, 300, startedAt + 300_000],
      [{ endedAt: startedAt + 299_600 }, 300, startedAt + 299_600],
      [{ seconds: 0 }, 0, startedAt],
    ] as const) {
      const { recording } = await takeIn()({ said: said({ startedAt, ...about }), open: gives(fresh()) });
      assert.deepEqual([recording.seconds, recording.endedAt], [seconds, endedAt]);
    }
  });

  it('keeps nothing of what the sender got wrong', async () => {
    const audio = fresh();
    const open = gives(audio);
    const broken = () =>
      Readable.from(
        (async function* () {
          yield audio.subarray(0, 1000);
          throw new Error('socket hang up');
        })(),
      );
    const cases: [Partial<Arriving>, FailureKind, RegExp][] = [
      [{ open: broken }, 'invalid', /cut off/],
      [{ open, expected: { bytes: audio.length + 1, sha256: null } }, 'invalid', /cut off/],
      [{ open, expected: { bytes: audio.length - 1, sha256: null } }, 'invalid', /longer/],
      [{ open, expected: { bytes: null, sha256: 'a'.repeat(64) } }, 'invalid', /checksum/],
      [{ open: gives(randomBytes(100)) }, 'unsupported_media_type', /known/],
      [{ open: gives(wav(Buffer.alloc(1_000_000))) }, 'too_large', /longer/],
    ];
    for (const [arriving, wanted, reason] of cases) {
      for (const idempotencyKey of [null, 'wrong']) {
        await leavesNothing(() =>
          assert.rejects(takeIn()({ ...arriving, idempotencyKey }), kind(wanted, reason)),
        );
      }
    }
    // The key of what was refused is free.
    assert.equal((await takeIn()({ open, idempotencyKey: 'wrong' })).isNew, true);
  });

  it('drops nothing that is under legal hold, but what it had announced itself', async () => {
    const held = said({ startedAt: NOW - 60_000, legalHold: true });
    const broken = gives(randomBytes(100));
    await leavesNothing(() => assert.rejects(takeIn()({ said: held, open: broken })));
    const main: MediaPlace = Object.assign(Object.create(center.main), { put: () => Promise.reject(full) });
    const idempotencyKey = 'held';
    await assert.rejects(takeIn({ main })({ said: held, open: broken, idempotencyKey }), kind('unavailable'));
    const before = await total();
    await assert.rejects(takeIn()({ said: held, open: broken, idempotencyKey }));
    assert.equal(await total(), before);
    assert.equal((await takeIn()({ said: held, open: gives(fresh()), idempotencyKey })).isNew, true);

    // Put under hold by somebody else while the first attempt is under way.
    const open = async () => {
      const { recordings } = center.store;
      const { recordings: pending } = await recordings.page(center.contactCenter, {
        states: ['pending'],
        limit: 9,
        count: 'none',
      });
      const [{ number } = { number: 0 }] = pending;
      await recordings.change(center.contactCenter, number, { legalHold: true }, () =>
        eventOf('recording.changed', number),
      );
      return Readable.from([Buffer.from('cut off')]);
    };
    await assert.rejects(takeIn()({ open, idempotencyKey: 'held later' }));
    assert.equal(await total(), before + 1);
  });

  it('tells of what it drops', async () => {
    await assert.rejects(takeIn()({ open: gives(randomBytes(100)) }));
    const events = await center.store.audit.page(center.contactCenter, 0, 1000);
    const { action, outcome, details, actor } = events.at(-1) ?? {};
    assert.deepEqual(
      { action, outcome, details, actor },
      {
        action: 'recording.dropped',
        outcome: 'failed',
        details: { reason: 'unsupported_media_type' },
        actor: { kind: 'token', tokenId: 't' },
      },
    );
  });

  it('leaves the stream where it refused it', async () => {
    const content = Readable.from([Buffer.alloc(100), Buffer.alloc(100), Buffer.alloc(100)]);
    const expected = { bytes: 150, sha256: null };
    await assert.rejects(takeIn()({ expected, open: () => content }), kind('invalid'));
    assert.equal(content.destroyed, false);
    assert.equal((await readAll(content)).length, 100);
  });

  it('stays pending where the place fails, and a retry with the same key completes it', async () => {
    const audio = fresh();
    for (const [at, broken] of (
      [
        { put: () => Promise.reject(full) },
        { put: () => Promise.reject(new Error('a bug')) },
      ] satisfies Partial<MediaPlace>[]
    ).entries()) {
      const main: MediaPlace = Object.assign(Object.create(center.main), broken);
      const idempotencyKey = `place ${at}`;
      await leavesNothing(() => assert.rejects(takeIn({ main })({ open: gives(audio) })));
      const before = await total();
      await assert.rejects(takeIn({ main })({ open: gives(audio), idempotencyKey }));
      assert.equal(await total(), before + 1);
      const again = await takeIn()({ open: gives(audio), idempotencyKey });
      assert.deepEqual([again.isNew, again.recording.state], [true, 'stored']);
      assert.equal(await total(), before + 1);
    }
  });

  it('lets a retry complete what the reader of audio or the store could not', async () => {
    const audio = fresh();
    const { recordings } = center.store;
    const complete: RecordingStore['complete'] = () => Promise.reject(full);
    const failing: Partial<TakeInDeps>[] = [
      { audio: { ...wavReader, read: () => Promise.reject(full) } },
      { recordings: { ...recordings, complete } },
    ];
    for (const [at, deps] of failing.entries()) {
      const idempotencyKey = `later ${at}`;
      await leavesNothing(() => assert.rejects(takeIn(deps)({ open: gives(audio) }), kind('unavailable')));
      const files = (await center.files()).size;
      await assert.rejects(takeIn(deps)({ open: gives(audio), idempotencyKey }), kind('unavailable'));
      const { recording } = await takeIn()({ open: gives(audio), idempotencyKey });
      assert.equal(recording.state, 'stored');
      // What the first attempt had put there is gone.
      assert.equal((await center.files()).size, files + 1);
    }
  });

  it('gives what is known to whoever asks again, without its audio', async () => {
    const idempotencyKey = 'person@example.com';
    const first = await takeIn()({ open: gives(fresh()), idempotencyKey });
    const open = () => assert.fail('the audio was asked for');
    assert.deepEqual(await takeIn()({ open, idempotencyKey }), { ...first, isNew: false });
    const other = said({ startedAt: NOW - 60_000, remoteNumber: '+15550100' });
    await assert.rejects(takeIn()({ open, idempotencyKey, said: other }), kind('conflict'));
    const expected = { bytes: 4, sha256: null };
    await assert.rejects(takeIn()({ open, idempotencyKey, expected }), kind('conflict'));
    assert.equal((await takeIn()({ open: gives(fresh()), idempotencyKey: 'another' })).isNew, true);
  });

  it('lets one of two attempts with the same key win, with its own audio', async () => {
    const [slow, quick] = [fresh(), fresh()];
    const { promise: isGoing, resolve: go } = Promise.withResolvers<void>();
    const { promise: isOpen, resolve: opened } = Promise.withResolvers<void>();
    const open = () => {
      opened();
      return Readable.from(
        (async function* () {
          yield slow.subarray(0, 100);
          await isGoing;
          yield slow.subarray(100);
        })(),
      );
    };
    const files = (await center.files()).size;
    const first = takeIn()({ open, idempotencyKey: 'twice' });
    // Handled here, and awaited below.
    first.catch(() => {});
    await isOpen;
    const second = await takeIn()({ open: gives(quick), idempotencyKey: 'twice' });
    go();
    await assert.rejects(first, kind('conflict'));
    const key = { contactCenterId: center.contactCenter.id, id: second.recording.mediaId };
    const kept = await readAll(await center.main.open(key));
    assert.equal(sha256(kept), second.recording.media?.sha256);
    assert.deepEqual(kept, quick);
    assert.equal((await center.files()).size, files + 1);
  });

  it('takes many at once', async () => {
    const all = Array.from({ length: 60 }, () => fresh());
    const taken = await Promise.all(all.map((audio) => takeIn()({ open: gives(audio) })));
    assert.deepEqual(
      taken.map(({ recording }) => recording.media?.sha256),
      all.map(sha256),
    );
    assert.equal(new Set(taken.map(({ recording }) => recording.number)).size, all.length);
  });
});

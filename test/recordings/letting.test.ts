import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { archive, planArchive } from '../../src/recordings/archive.ts';
import { removeAllLeftovers } from '../../src/recordings/leftovers.ts';
import { moveRecording, restore } from '../../src/recordings/move.ts';
import { planPurge, purge } from '../../src/recordings/purge.ts';
import { said } from '../contract/recordings-contract.ts';
import { NOW, useCenter } from './center.ts';
import { DAY, makeLettingWorld, PACE } from './letting-world.ts';

const outOfOrder = async () => {
  throw new Failure('unavailable', 'the place is out of order', { retryAfter: 1 });
};
const ofKind = (kind: string) => (error: unknown) => error instanceof Failure && error.kind === kind;

describe('a purge', () => {
  const center = useCenter();

  it('lets go of what is past its retention, by its own end or by the setting, and of nothing else', async () => {
    const world = await makeLettingWorld(center);
    await world.set('recordings.retentionDays', '30');
    const aged = [100, 31, 30, 29, 1];
    for (const days of aged) await world.add(days);
    await world.add(1, { keepUntil: NOW });
    await world.add(1, { keepUntil: NOW + 1 });
    await world.add(100, { keepUntil: NOW + DAY });
    await world.add(100, { legalHold: true });
    await world.add(100, { legalHold: true, keepUntil: NOW - DAY });
    const due = [1, 2, 3, 6];
    const bytes = (await Promise.all(due.map(world.find))).reduce(
      (sum, { media }) => sum + (media?.bytes ?? 0),
      0,
    );

    const plan = await planPurge(world.deps, world.contactCenter, PACE);
    assert.deepEqual(plan, { ownEnd: 1, retention: 3, bytes, held: 2 });
    assert.equal((await world.numbers('stored')).length, 10);
    assert.equal(world.main.audio.size, 10);

    const progress: number[] = [];
    const pace = { ...PACE, onProgress: (done: number) => progress.push(done) };
    const purged = await purge(world.deps, world.contactCenter, pace);
    assert.deepEqual(purged, { purged: 4, bytes, left: 0, failure: null });
    assert.deepEqual([await world.numbers('purged'), progress.at(-1)], [due, 4]);
    assert.equal(world.main.audio.size, 6);
    assert.deepEqual(await world.store.letting.leftovers(world.contactCenter, 0, 10), []);
    const events = (await world.actions()).filter((each) => each.startsWith('recording.purged'));
    assert.deepEqual(
      events.sort(),
      due.map((number) => `recording.purged ${number}`),
    );
    assert.equal((await purge(world.deps, world.contactCenter, PACE)).purged, 0);
  });

  it('gives a recording whose audio is still to come a day, and then its retention', async () => {
    const world = await makeLettingWorld(center);
    const reserve = (now: number) =>
      world.store.recordings.reserve(world.contactCenter, said({ startedAt: NOW - 91 * DAY }), {
        id: center.newId(),
        now,
      });
    await reserve(NOW - DAY);
    await reserve(NOW - DAY + 1);
    assert.equal((await purge(world.deps, world.contactCenter, PACE)).purged, 1);
    assert.deepEqual([await world.numbers('purged'), await world.numbers('pending')], [[1], [2]]);
  });

  it('makes tombstones all the same while audio cannot be removed, and removes it later', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 7; count += 1) await world.add(91);
    const { remove } = world.main;
    world.main.remove = outOfOrder;
    const purged = await purge(world.deps, world.contactCenter, PACE);
    assert.deepEqual([purged.purged, purged.left, purged.failure?.kind], [7, 7, 'unavailable']);
    assert.deepEqual([(await world.numbers('purged')).length, world.main.audio.size], [7, 7]);
    world.main.remove = remove;
    const removed = await removeAllLeftovers(world.deps, world.contactCenter, PACE);
    assert.deepEqual(removed, { removed: 7, left: 0, failure: null });
    assert.equal(world.main.audio.size, 0);
  });

  it('keeps what is put under legal hold, or kept for longer, while it is under way', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 4; count += 1) await world.add(91);
    const event = { at: 0, actor: { kind: 'cli' }, action: 'recording.changed', outcome: 'done' } as const;
    const change = (number: number, to: { legalHold?: boolean; keepUntil?: number }) =>
      world.store.recordings.change(world.contactCenter, number, to, () => ({
        ...event,
        subject: String(number),
        details: {},
      }));
    const due = world.store.letting.due.bind(world.store.letting);
    const store = {
      ...world.store.letting,
      due: async (...asked: Parameters<typeof due>) => {
        const page = await due(...asked);
        if (asked[1] === 'retention' && asked[3] === null) {
          await change(1, { legalHold: true });
          await change(2, { keepUntil: NOW + 1 });
        }
        return page;
      },
    };
    await purge({ ...world.deps, store }, world.contactCenter, PACE);
    assert.deepEqual(await world.numbers('purged'), [3, 4]);
  });

  it('ends between two batches when it is told to', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 9; count += 1) await world.add(91);
    const end = new AbortController();
    const pace = { ...PACE, signal: end.signal, onProgress: () => end.abort() };
    assert.equal((await purge(world.deps, world.contactCenter, pace)).purged, 3);
  });
});

describe('the archive', () => {
  const center = useCenter();

  it('takes what has lain in the main tier for long enough, what is held too, and gives it back', async () => {
    const world = await makeLettingWorld(center);
    const ages = [89, 60, 31, 30, 29, 1];
    for (const days of ages) await world.add(days);
    await world.add(200, { legalHold: true });
    await world.add(200);
    assert.equal((await archive(world.deps, world.contactCenter, PACE)).moved, 0);
    await world.set('recordings.archiveAfterDays', '30');
    const audio = new Map([...world.main.audio].map(([id, { content }]) => [id, content.toString()]));
    const plan = await planArchive(world.deps, world.contactCenter, PACE);
    assert.equal(plan.recordings, 5);
    const before = await world.find(2);
    const archived = await archive(world.deps, world.contactCenter, PACE);
    assert.deepEqual([archived.moved, archived.bytes], [5, plan.bytes]);
    assert.deepEqual(await world.numbers('archived'), [1, 2, 3, 4, 7]);
    assert.deepEqual([world.main.audio.size, world.archive.audio.size], [3, 5]);
    const after = await world.find(2);
    assert.equal(after.id, before.id);
    assert.equal(world.archive.audio.get(after.mediaId)?.content.toString(), audio.get(before.mediaId));

    await restore(world.deps, world.contactCenter, after, { kind: 'cli' });
    const back = await world.find(2);
    assert.equal(back.state, 'stored');
    assert.equal(world.main.audio.get(back.mediaId)?.content.toString(), audio.get(before.mediaId));
    assert.deepEqual([world.main.audio.size, world.archive.audio.size], [4, 4]);
    // It stays for as long as a new one would.
    assert.equal((await archive(world.deps, world.contactCenter, PACE)).moved, 0);
    const later = { ...world.deps, now: () => NOW + 30 * DAY };
    assert.equal((await planArchive(later, world.contactCenter, PACE)).recordings, 2);
    await assert.rejects(restore(world.deps, world.contactCenter, back, { kind: 'cli' }), ofKind('conflict'));
    const actions = await world.actions();
    assert.ok(actions.includes('recording.archived 2') && actions.includes('recording.restored 2'));
  });

  it('leaves what is lost or damaged where it was, and no copy', async () => {
    const world = await makeLettingWorld(center);
    await world.set('recordings.archiveAfterDays', '30');
    for (const _ of [1, 2, 3]) await world.add(40);
    const [lost, damaged] = [await world.find(1), await world.find(2)];
    world.main.audio.delete(lost.mediaId);
    world.main.audio.set(damaged.mediaId, { content: Buffer.from('other'), modifiedAt: 0 });
    const { moved, lost: gone, damaged: broken } = await archive(world.deps, world.contactCenter, PACE);
    assert.deepEqual([moved, gone, broken], [1, 1, 1]);
    assert.deepEqual(await world.numbers('stored'), [1, 2]);
    assert.deepEqual([...world.archive.audio.keys()], [(await world.find(3)).mediaId]);
    assert.deepEqual(await world.store.letting.leftovers(world.contactCenter, 0, 9), []);
    assert.deepEqual(await world.store.letting.moving(world.contactCenter, 0, 9), []);
  });

  it('that fails leaves everything as it was, and the copy to be removed', async () => {
    const world = await makeLettingWorld(center);
    await world.set('recordings.archiveAfterDays', '30');
    const { mediaId, ...rest } = await world.add(40);
    const { put, remove } = world.archive;
    world.archive.put = outOfOrder;
    world.archive.remove = outOfOrder;
    await assert.rejects(archive(world.deps, world.contactCenter, PACE), ofKind('unavailable'));
    assert.deepEqual(await world.find(1), { ...rest, mediaId });
    assert.equal(
      (await world.store.letting.leftovers(world.contactCenter, 0, 9))[0]?.copies[0]?.tier,
      'archive',
    );
    Object.assign(world.archive, { remove });
    await removeAllLeftovers(world.deps, world.contactCenter, PACE);
    // Where it can be removed at once, it is.
    await assert.rejects(archive(world.deps, world.contactCenter, PACE), ofKind('unavailable'));
    assert.deepEqual(await world.store.letting.leftovers(world.contactCenter, 0, 9), []);
    Object.assign(world.archive, { put });
    assert.equal((await archive(world.deps, world.contactCenter, PACE)).moved, 1);
    await removeAllLeftovers(world.deps, world.contactCenter, PACE);
    assert.deepEqual([world.main.audio.size, world.archive.audio.size], [0, 1]);
  });

  it('that was not set up is told', async () => {
    const world = await makeLettingWorld(center);
    await world.set('recordings.archiveAfterDays', '30');
    const recording = await world.add(40);
    const deps = { ...world.deps, places: { main: world.main, archive: null } };
    await assert.rejects(archive(deps, world.contactCenter, PACE), ofKind('precondition'));
    const moving = moveRecording(deps, world.contactCenter, recording, 'archive', { kind: 'cli' });
    await assert.rejects(moving, ofKind('precondition'));
    assert.equal(world.main.audio.size, 1);
    // Tombstones are made all the same; their audio stays noted.
    await moveRecording(world.deps, world.contactCenter, recording, 'archive', { kind: 'cli' });
    const later = { ...deps, now: () => NOW + 60 * DAY };
    const purged = await purge(later, world.contactCenter, PACE);
    assert.deepEqual([purged.purged, purged.left, purged.failure?.kind], [1, 2, 'precondition']);
  });
});

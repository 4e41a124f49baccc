import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { Copy, Due, DuePlace } from '../../src/recordings/letting.ts';
import type { Tier } from '../../src/recordings/media.ts';
import type { NewRecording, Recording } from '../../src/recordings/recording.ts';
import { addUsers, idOf, person } from './people.ts';
import { eventOf, FACTS, nextId, said } from './recordings-contract.ts';
import { type EngineUnderTest, useStore } from './store-contract.ts';

const ALWAYS = () => true;

/** What letting recordings go asks of a store. */
export function describeLetting(engine: EngineUnderTest): void {
  describe('letting recordings go', () => {
    const opened = useStore(engine);
    let center: ContactCenter;

    before(async () => {
      center = await opened.contactCenter();
      await addUsers(opened.store, center, [person(1)]);
    });

    async function inNewCenter(): Promise<void> {
      center = await opened.contactCenter();
      await addUsers(opened.store, center, [person(1)]);
    }

    const reserve = async (changes: Partial<NewRecording> = {}, now = 9) =>
      (await opened.store.recordings.reserve(center, said(changes), { id: nextId(), now })).recording;
    async function add(changes: Partial<NewRecording> = {}): Promise<Recording> {
      const attempt = await reserve(changes);
      const { number } = attempt;
      const event = eventOf('recording.added', number);
      return opened.store.recordings.complete(center, attempt, FACTS, event);
    }
    const copyIn = (tier: Tier): Copy => ({ tier, id: nextId() });
    const finish = (number: number, copy: Copy, now = 50) =>
      opened.store.letting.finishMove(center, number, copy, now, eventOf('recording.archived', number));
    async function archive(number: number): Promise<Copy> {
      const copy = copyIn('archive');
      assert.equal(await opened.store.letting.beginMove(center, number, copy), true);
      assert.equal(await finish(number, copy), true);
      return copy;
    }
    const clear = (number: number, ...copies: Copy[]) =>
      opened.store.letting.clearLeftover(center, number, copies);
    const purge = (number: number, isToGo = ALWAYS) =>
      opened.store.letting.purgeIf(center, number, isToGo, eventOf('recording.purged', number));
    const left = () => opened.store.letting.leftovers(center, 0, 10);
    const whereabouts = async (number: number) =>
      (await opened.store.letting.byNumbers(center, number - 1, 1))[0];
    const hold = (number: number, legalHold: boolean) =>
      opened.store.recordings.change(center, number, { legalHold }, () =>
        eventOf('recording.changed', number),
      );

    /** Numbers of all that is due, read in pages of a size. */
    async function due(kind: Due, until: number, limit = 1000): Promise<number[]> {
      const numbers: number[] = [];
      let place: DuePlace | null = null;
      do {
        const { recordings, next } = await opened.store.letting.due(center, kind, until, place, limit);
        assert.ok(recordings.length <= limit);
        numbers.push(...recordings.map(({ number }) => number));
        place = next;
      } while (place !== null);
      return numbers;
    }

    it('finds what is due, in the order in which it fell due, page by page', async () => {
      await inNewCenter();
      const own = [30, 10, 20, 20, 20].map((keepUntil) => add({ keepUntil, startedAt: 1000 }));
      const set = [300, 100, 200, 200, 200, 200].map((startedAt) => add({ startedAt }));
      await Promise.all([...own, ...set]);
      await Promise.all([
        add({ keepUntil: 20, startedAt: 1000, legalHold: true }),
        add({ startedAt: 200, legalHold: true }),
      ]);
      await reserve({ startedAt: 250 }, 7);
      for (const limit of [1, 2, 3, 4, 100]) {
        assert.deepEqual(await due('own-end', 30, limit), [2, 3, 4, 5, 1]);
        assert.deepEqual(await due('own-end', 20, limit), [2, 3, 4, 5]);
        assert.deepEqual(await due('own-end', 9, limit), []);
        assert.deepEqual(await due('retention', 300, limit), [7, 8, 9, 10, 11, 14, 6]);
        assert.deepEqual(await due('retention', 249, limit), [7, 8, 9, 10, 11]);
        // What is held moves to the archive as everything else does; what is not there yet does not.
        assert.deepEqual(await due('archive', 1000, limit), [7, 8, 9, 10, 11, 13, 6, 1, 2, 3, 4, 5, 12]);
        assert.deepEqual(await due('pending', 7, limit), [14]);
      }
      assert.deepEqual(await due('pending', 6), []);
      assert.equal(await opened.store.letting.countHeld(center), 2);
      await purge(2);
      await purge(7);
      assert.deepEqual(await due('own-end', 20), [3, 4, 5]);
      assert.deepEqual(await due('retention', 249), [8, 9, 10, 11]);
      assert.deepEqual(await due('archive', 200), [8, 9, 10, 11, 13]);
      // Another contact center's are not found.
      await inNewCenter();
      for (const kind of ['own-end', 'retention', 'archive', 'pending'] as const) {
        assert.deepEqual(await due(kind, 1e9), []);
      }
      assert.equal(await opened.store.letting.countHeld(center), 0);
    });

    it('purges only what is still to go as recording and contact center are then', async () => {
      await inNewCenter();
      const stored = await add({
        leadId: 5,
        callId: 'c',
        direction: 'inbound',
        remoteNumber: '+15550100',
        startedAt: 3,
        endedAt: 5,
        seconds: 2,
        keepUntil: 4,
      });
      const { number, mediaId } = stored;
      await opened.store.access.setSetting(center, 'recordings.retentionDays', '7');
      const asked: unknown[] = [];
      const isToGo = (now: ContactCenter, recording: Recording) => {
        asked.push(now.settings['recordings.retentionDays'], recording.keepUntil);
        return false;
      };
      const { letting, recordings } = opened.store;
      assert.equal(await letting.purgeIf(center, number, isToGo, eventOf('recording.purged', number)), null);
      assert.deepEqual(asked, ['7', 4]);
      assert.equal(await purge(99), null);
      await hold(number, true);
      assert.equal(await purge(number), null);
      await hold(number, false);
      const before = await opened.again(center);
      const leftover = { number, copies: [{ tier: 'main', id: mediaId }] };
      assert.deepEqual(await purge(number), leftover);
      assert.ok((await opened.again(center)).recordingsRevision > before.recordingsRevision);
      const tombstone = await recordings.find(center, number);
      assert.deepEqual(tombstone, {
        number,
        id: stored.id,
        mediaId,
        userNumber: null,
        leadId: null,
        callId: null,
        direction: null,
        remoteNumber: null,
        startedAt: 0,
        endedAt: null,
        seconds: null,
        media: null,
        state: 'purged',
        legalHold: false,
        keepUntil: null,
        revocations: stored.revocations,
        createdAt: stored.createdAt,
      });
      const page = { limit: 5, count: 'exact' } as const;
      assert.equal((await recordings.page(await opened.again(center), { ...page, leadId: 5 })).total, 0);
      assert.equal((await recordings.page(await opened.again(center), page)).total, 0);
      assert.deepEqual(await left(), [leftover]);
      assert.deepEqual(await letting.leftovers(center, number, 10), []);
    });

    it('moves audio to a copy of which the row knows, and leaves the former behind', async () => {
      await inNewCenter();
      const { letting } = opened.store;
      const { number, id, mediaId } = await add({ startedAt: 20 });
      const [copy, other] = [copyIn('archive'), copyIn('archive')];
      assert.equal(await letting.beginMove(center, number, copyIn('main')), false);
      assert.equal(await letting.beginMove(center, number, copy), true);
      assert.equal(await letting.beginMove(center, number, other), false);
      assert.deepEqual(
        (await letting.moving(center, 0, 9)).map((each) => each.move),
        [copy],
      );
      assert.deepEqual(await letting.moving(center, number, 9), []);
      assert.equal(await finish(number, other), false);
      assert.equal(await finish(number, copy), true);
      assert.equal(await finish(number, copy), false);
      assert.equal(await letting.callOffMove(center, number, copy), false);
      assert.deepEqual(await letting.moving(center, 0, 9), []);
      const archived = await whereabouts(number);
      const { state } = archived?.recording ?? {};
      assert.deepEqual([archived?.recording.id, state], [id, 'archived']);
      assert.equal(archived?.recording.mediaId, copy.id);
      assert.deepEqual(archived?.leftover, [{ tier: 'main', id: mediaId }]);
      assert.deepEqual(await due('archive', 1000), []);
      // Back again, under a name of its own.
      const back = copyIn('main');
      assert.equal(await letting.beginMove(center, number, back), true);
      assert.equal(await finish(number, back, 600), true);
      const all = [{ tier: 'main', id: mediaId } as const, copy, back];
      assert.deepEqual(await left(), [{ number, copies: all.slice(0, 2) }]);
      // Its age in the main tier counts from then on.
      assert.deepEqual([await due('archive', 599), await due('archive', 600)], [[], [number]]);
      assert.deepEqual(await purge(number), { number, copies: all });
      await clear(number, ...all.slice(0, 2));
      assert.deepEqual(await left(), [{ number, copies: [back] }]);
      await clear(number, back);
      assert.deepEqual(await left(), []);
    });

    it('moves nothing that is pending or purged', async () => {
      await inNewCenter();
      const { letting } = opened.store;
      const pending = await reserve();
      const { number } = await add();
      await purge(number);
      for (const each of [pending.number, number, 99]) {
        for (const tier of ['main', 'archive'] as const) {
          assert.equal(await letting.beginMove(center, each, copyIn(tier)), false);
        }
      }
    });

    it('takes a copy that was called off for left over, and never for the audio', async () => {
      await inNewCenter();
      const { letting } = opened.store;
      const { number, mediaId } = await add();
      const own: Copy = { tier: 'main', id: mediaId };
      const [copy, next] = [copyIn('archive'), copyIn('archive')];
      await letting.beginMove(center, number, copy);
      assert.equal(await letting.callOffMove(center, number, next), false);
      assert.equal(await letting.callOffMove(center, number, copy), true);
      assert.equal(await letting.callOffMove(center, number, copy), false);
      assert.equal(await finish(number, copy), false);
      assert.deepEqual(await left(), [{ number, copies: [copy] }]);
      assert.equal(await letting.beginMove(center, number, next), true);
      assert.equal(await finish(number, copy), false);
      // A purge calls it off as well.
      assert.deepEqual((await purge(number))?.copies, [copy, own, next]);
      assert.equal(await finish(number, next), false);
      assert.equal((await whereabouts(number))?.move, null);
    });

    it('finds recordings by the UUIDs of their audio, tombstones too', async () => {
      await inNewCenter();
      const { letting } = opened.store;
      const [one, two, three] = [await add(), await add(), await reserve()];
      const copy = await archive(one.number);
      await purge(two.number);
      const found = await letting.byMediaIds(center, [
        three.mediaId,
        idOf(999_999),
        two.mediaId,
        one.mediaId,
        copy.id,
      ]);
      assert.deepEqual(found.map(({ recording }) => [recording.number, recording.state]).sort(), [
        [1, 'archived'],
        [2, 'purged'],
        [3, 'pending'],
      ]);
      const all = await letting.byNumbers(center, 1, 1);
      assert.deepEqual(
        all.map(({ recording, leftover }) => [recording.number, leftover]),
        [[2, [{ tier: 'main', id: two.mediaId }]]],
      );
      assert.deepEqual((await letting.byNumbers(center, 0, 9)).length, 3);
      await inNewCenter();
      assert.deepEqual(await letting.byMediaIds(center, [copy.id]), []);
    });

    it('gives a recording audio that was found, and buries what is lost unless it is held', async () => {
      await inNewCenter();
      const { letting } = opened.store;
      const recording = await add();
      const { number } = recording;
      const event = eventOf('recording.lost', number);
      const [found, other] = [copyIn('archive'), copyIn('main')];
      assert.equal(await letting.adopt(center, { ...recording, mediaId: other.id }, found, event), false);
      assert.equal(await letting.adopt(center, { ...recording, state: 'archived' }, found, event), false);
      assert.equal(await letting.adopt(center, recording, found, event), true);
      const adopted = (await whereabouts(number))?.recording;
      assert.ok(adopted);
      assert.deepEqual([adopted.state, adopted.mediaId], ['archived', found.id]);
      assert.equal(await letting.bury(center, recording, event), false);
      // While it moves there is a copy that may yet be whole; what is left over may be gone at any time.
      await letting.beginMove(center, number, other);
      assert.equal(await letting.adopt(center, adopted, copyIn('main'), event), false);
      await letting.callOffMove(center, number, other);
      assert.equal(await letting.adopt(center, adopted, other, event), false);
      await hold(number, true);
      assert.equal(await letting.bury(center, adopted, event), false);
      await hold(number, false);
      assert.equal(await letting.bury(center, adopted, event), true);
      assert.equal(await letting.bury(center, adopted, event), false);
      assert.equal((await whereabouts(number))?.recording.state, 'purged');
      assert.deepEqual(await left(), [{ number, copies: [other, found] }]);
      const { recordings } = opened.store;
      assert.equal((await recordings.page(center, { limit: 1, count: 'exact' })).total, 0);
      const actions = (await opened.store.audit.page(center, 0, 99)).map(({ action }) => action);
      assert.equal(actions.filter((action) => action === 'recording.lost').length, 2);
    });

    it('keeps a held recording in the archive as in the main tier', async () => {
      await inNewCenter();
      const { number } = await add({ legalHold: true });
      await archive(number);
      assert.equal(await purge(number), null);
      assert.equal((await whereabouts(number))?.recording.state, 'archived');
    });
  });
}

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { AuditEvent } from '../../src/access/audit.ts';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { Failure } from '../../src/errors.ts';
import type { RecordingQuery } from '../../src/recordings/query.ts';
import {
  type ListedRecording,
  type NewRecording,
  type Recording,
  STATES,
} from '../../src/recordings/recording.ts';
import { KEY_LIFE } from '../../src/recordings/retention.ts';
import { addUsers, idOf, person } from './people.ts';
import { type EngineUnderTest, type OpenStore, useStore } from './store-contract.ts';

const DAY = 86_400_000;
const FIRST = Date.UTC(2026, 0, 5);
const USERS = 40;

/** What is said of a recording where a test says nothing else. */
export function said(changes: Partial<NewRecording> = {}): NewRecording {
  return {
    userNumber: 1,
    leadId: null,
    callId: null,
    direction: null,
    remoteNumber: null,
    startedAt: FIRST,
    endedAt: null,
    seconds: null,
    keepUntil: null,
    legalHold: false,
    ...changes,
  };
}

export const SHA = 'ab'.repeat(32);
export const FACTS = {
  mediaType: 'audio/wav',
  bytes: 44,
  sha256: SHA,
  seconds: 7,
  endedAt: FIRST + 7000,
} as const;

export function eventOf(action: AuditEvent['action'], number: number): AuditEvent {
  return { at: 5, actor: { kind: 'cli' }, action, subject: String(number), outcome: 'done', details: {} };
}

let made = 0;
export const nextId = (): string => {
  made += 1;
  return idOf(made);
};

const isConflict = (error: unknown) => error instanceof Failure && error.kind === 'conflict';

/** A contact center with some users, and what makes recordings in it. */
async function useCenter(opened: OpenStore) {
  const contactCenter = await opened.contactCenter();
  const { store } = opened;
  const users = Array.from({ length: USERS }, (_, at) => person(at + 1));
  await addUsers(store, contactCenter, users);
  const reserve = async (changes: Partial<NewRecording> = {}) =>
    (await store.recordings.reserve(contactCenter, said(changes), { id: nextId(), now: 9 })).recording;
  const complete = ({ number, mediaId }: Recording, facts: Partial<typeof FACTS> = {}) =>
    store.recordings.complete(
      contactCenter,
      { number, mediaId },
      { ...FACTS, ...facts },
      eventOf('recording.added', number),
    );
  return {
    contactCenter,
    reserve,
    complete,
    add: async (changes: Partial<NewRecording> = {}) => complete(await reserve(changes)),
    purge: (number: number) =>
      store.recordings.purge(contactCenter, number, eventOf('recording.purged', number)),
    archive: async (recording: Recording): Promise<Recording> => {
      const { number } = recording;
      const copy = { tier: 'archive', id: nextId() } as const;
      await store.letting.beginMove(contactCenter, number, copy);
      const event = eventOf('recording.archived', number);
      assert.ok(await store.letting.finishMove(contactCenter, number, copy, 9, event));
      return { ...recording, state: 'archived', mediaId: copy.id };
    },
    page: async (query: Partial<RecordingQuery> = {}) =>
      store.recordings.page(await opened.again(contactCenter), { limit: 20, count: 'exact', ...query }),
    list: async (query: Partial<RecordingQuery> = {}) =>
      store.recordings.list(await opened.again(contactCenter), { limit: 20, count: 'exact', ...query }),
    discard: (recording: Recording, isOwnHold?: boolean) =>
      store.recordings.discard(
        contactCenter,
        recording,
        eventOf('recording.dropped', recording.number),
        isOwnHold,
      ),
    events: () => store.audit.page(contactCenter, 0, 1000),
  };
}

type Center = Awaited<ReturnType<typeof useCenter>>;

/** Days for which the contact center with many recordings keeps them. */
const RETENTION = 3;

/** A recording as lists have it. */
function asListed(recording: Recording): ListedRecording {
  const { number, userNumber, leadId, startedAt, endedAt, seconds } = recording;
  const { state, legalHold, keepUntil, revocations } = recording;
  return {
    ...{ number, userNumber, leadId, startedAt, endedAt, seconds },
    ...{ state, legalHold, keepUntil, revocations },
  };
}

/** What a query finds among recordings, worked out the slow way. */
function findSlowly(all: readonly Recording[], query: Partial<RecordingQuery>): Recording[] {
  const { userNumbers, leadId, from, to, states = ['pending', 'stored', 'archived'] } = query;
  const { minSeconds = 0, keptAt } = query;
  return all
    .filter(
      (each) =>
        states.includes(each.state) &&
        (userNumbers === undefined || (each.userNumber !== null && userNumbers.includes(each.userNumber))) &&
        (leadId === undefined || each.leadId === leadId) &&
        (from === undefined || each.startedAt >= from) &&
        (to === undefined || each.startedAt <= to) &&
        (each.seconds ?? 0) >= minSeconds &&
        (keptAt === undefined ||
          each.legalHold ||
          (each.keepUntil ?? each.startedAt + RETENTION * DAY) > keptAt),
    )
    .sort((a, b) => a.startedAt - b.startedAt || a.number - b.number);
}

/** Starts that meet the ends of days, and each other. */
const starts = fc
  .tuple(fc.integer({ min: -1, max: 4 }), fc.constantFrom(0, 1, DAY / 2, DAY / 2 + 1, DAY - 1))
  .map(([day, at]) => FIRST + day * DAY + at);
const users = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: USERS + 1 }));
const queries = fc.record(
  {
    userNumbers: fc.oneof(
      fc.array(users, { maxLength: 5 }),
      fc.constant(Array.from({ length: 70 }, (_, at) => at)),
    ),
    leadId: fc.integer({ min: 1, max: 3 }),
    from: starts,
    to: starts,
    states: fc.subarray([...STATES]),
    minSeconds: fc.integer({ min: 0, max: 9 }),
    keptAt: starts.map((at) => at + 3 * DAY),
    offset: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 400 })),
    limit: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(1000)),
  },
  { requiredKeys: ['limit'] },
);

/** Recordings: found, counted, taken in, changed, let go. */
export function describeRecordings(engine: EngineUnderTest): void {
  describe('recordings', () => {
    const opened = useStore(engine);

    describe('pages', () => {
      let center: Center;
      let all: Recording[];
      before(async () => {
        center = await useCenter(opened);
        const days = String(RETENTION);
        await opened.store.access.setSetting(center.contactCenter, 'recordings.retentionDays', days);
        const random = fc.sample(
          fc.tuple(
            users,
            fc.option(fc.integer({ min: 1, max: 2 })),
            starts,
            fc.integer({ min: 0, max: 9 }),
            fc.option(starts.map((at) => at + 3 * DAY)),
            fc.boolean(),
          ),
          { numRuns: 400, seed: 7 },
        );
        all = await Promise.all(
          random.map(async ([user, leadId, startedAt, fate, keepUntil, isHeld]) => {
            const userNumber = Math.min(Math.max(user, 1), USERS);
            const recording = await center.reserve({
              ...{ userNumber, leadId, startedAt, keepUntil },
              legalHold: isHeld && fate > 6,
            });
            if (fate === 0) return recording;
            const stored = await center.complete(recording, { seconds: 7 });
            if (fate === 1) return center.archive(stored);
            return fate < 4 ? center.purge(stored.number) : stored;
          }),
        );
        const other = await useCenter(opened);
        for (let at = 0; at < 20; at += 1) await other.add({ leadId: 1 });
      });

      it('are what a walk over everything would find, and counted as it would', async () => {
        await fc.assert(
          fc.asyncProperty(queries, async (query) => {
            const { offset = 0, limit } = query;
            const found = findSlowly(all, query);
            const page = await center.page(query);
            assert.deepEqual(page.recordings, found.slice(offset, offset + limit));
            assert.equal(page.hasMore, found.length > offset + limit);
            assert.equal(page.total, found.length);
            const list = await center.list(query);
            assert.deepEqual(list, { ...page, recordings: page.recordings.map(asListed) });
          }),
          { numRuns: 1500 },
        );
      });

      it('behind a recording go on where it stands', async () => {
        await fc.assert(
          fc.asyncProperty(queries, starts, fc.nat(400), async (query, startedAt, number) => {
            const { offset = 0, limit } = query;
            const found = findSlowly(all, query);
            const rest = found.filter(
              (each) => each.startedAt > startedAt || (each.startedAt === startedAt && each.number > number),
            );
            const page = await center.page({ ...query, after: { startedAt, number } });
            assert.deepEqual(page.recordings, rest.slice(offset, offset + limit));
            assert.equal(page.hasMore, rest.length > offset + limit);
            assert.equal(page.total, found.length);
          }),
          { numRuns: 500 },
        );
      });

      it('tell when the first of them is past its retention and still there', async () => {
        const { store } = opened;
        const small = await useCenter(opened);
        const firstEnd = async () => store.recordings.firstEnd(await opened.again(small.contactCenter));
        assert.equal(await firstEnd(), null);
        await small.add({ startedAt: FIRST, legalHold: true });
        assert.equal(await firstEnd(), null);
        const { number } = await small.add({ startedAt: FIRST });
        assert.equal(await firstEnd(), FIRST + 90 * DAY);
        await store.access.setSetting(small.contactCenter, 'recordings.retentionDays', '5');
        assert.equal(await firstEnd(), FIRST + 5 * DAY);
        const own = await small.add({ startedAt: FIRST - DAY, keepUntil: FIRST + DAY });
        assert.equal(await firstEnd(), FIRST + DAY);
        await small.purge(own.number);
        assert.equal(await firstEnd(), FIRST + 5 * DAY);
        await small.purge(number);
        assert.equal(await firstEnd(), null);
      });

      it('of a contact center without recordings are empty', async () => {
        const empty = await useCenter(opened);
        for (const query of [{}, { userNumbers: [1] }, { userNumbers: [] }, { leadId: 1 }, { offset: 9 }]) {
          assert.deepEqual(await empty.page(query), { recordings: [], hasMore: false, total: 0 });
        }
      });
    });

    it('yields each once and in order to a walk, while more are added and others let go', async () => {
      const center = await useCenter(opened);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), starts), { minLength: 1, maxLength: 30 }),
          fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), starts), { maxLength: 12 }),
          fc.integer({ min: 1, max: 7 }),
          fc.constantFrom<Partial<RecordingQuery>>(
            {},
            { userNumbers: [1] },
            { userNumbers: [3, 1, 2] },
            { userNumbers: Array.from({ length: 40 }, (_, at) => at + 1) },
          ),
          async (first, more, limit, query) => {
            const add = ([userNumber, startedAt]: [number, number]) => center.add({ userNumber, startedAt });
            const there = await Promise.all(first.map(add));
            const mine = new Set(there.map(({ number }) => number));
            const waiting = [...more];
            const seen: Recording[] = [];
            let after: Recording | undefined;
            for (let hasMore = true; hasMore; ) {
              const page = await center.page({ ...query, limit, ...(after && { after }) });
              seen.push(...page.recordings);
              after = page.recordings.at(-1);
              hasMore = page.hasMore;
              const next = waiting.pop();
              if (next !== undefined) await add(next);
            }
            const order = (a: Recording, b: Recording) => a.startedAt - b.startedAt || a.number - b.number;
            assert.deepEqual(seen.toSorted(order), seen);
            assert.equal(new Set(seen.map(({ number }) => number)).size, seen.length);
            assert.deepEqual(
              seen.filter(({ number }) => mine.has(number)).map(({ number }) => number),
              findSlowly(there, query).map(({ number }) => number),
            );
            // The next run has only its own ones before it.
            const left = await center.page({ limit: 1000 });
            for (const { number } of left.recordings) await center.purge(number);
            assert.equal((await center.page({})).total, 0);
          },
        ),
        { numRuns: 25 },
      );
    });

    it('takes a number for each, and never again', async () => {
      const center = await useCenter(opened);
      const [first, second] = await Promise.all([center.reserve(), center.reserve()]);
      assert.deepEqual([first.number, second.number], [1, 2]);
      const { recordings } = opened.store;
      assert.equal(await center.discard(second), 'dropped');
      assert.equal(await center.discard(second), 'theirs');
      assert.equal((await center.reserve()).number, 3);
      assert.equal((await center.page()).total, 2);
      assert.deepEqual(await recordings.find(center.contactCenter, 1), first);
      assert.equal(await recordings.find(center.contactCenter, 2), null);
    });

    it('is dropped while its audio has not come, with an event, unless it is under legal hold', async () => {
      const { contactCenter, reserve, discard, events } = await useCenter(opened);
      const { recordings } = opened.store;
      const [held, free] = [await reserve({ legalHold: true }), await reserve()];
      assert.equal(await discard(held), 'held');
      assert.deepEqual(await recordings.find(contactCenter, held.number), held);
      assert.deepEqual(await events(), []);
      assert.equal(await discard(free), 'dropped');
      const due = async (kind: 'pending' | 'given-up') =>
        (await opened.store.letting.due(contactCenter, kind, 100, null, 9)).recordings;
      assert.deepEqual([await due('pending'), await due('given-up')], [[held], []]);
      // Whoever put it under hold as they announced it may take that back.
      assert.equal(await discard(held, true), 'dropped');
      assert.deepEqual(
        (await events()).map(({ action, subject }) => `${action} ${subject}`),
        ['recording.dropped 2', 'recording.dropped 1'],
      );
    });

    it('is of a user who is there', async () => {
      const center = await useCenter(opened);
      const good = center.reserve();
      await assert.rejects(
        center.reserve({ userNumber: USERS + 1 }),
        (error) => error instanceof Failure && error.kind === 'invalid' && 'user' in error.fields,
      );
      assert.equal((await good).number, 1);
      assert.equal((await center.page()).total, 1);
    });

    it('is stored once its audio is there, with an event', async () => {
      const center = await useCenter(opened);
      const recording = await center.reserve({ seconds: 3, remoteNumber: '+15550100' });
      assert.equal(recording.state, 'pending');
      assert.equal(recording.media, null);
      const before = (await opened.again(center.contactCenter)).recordingsRevision;
      const { seconds, endedAt, ...media } = FACTS;
      const stored = { ...recording, state: 'stored', seconds, endedAt, media };
      assert.deepEqual(await center.complete(recording), stored);
      assert.deepEqual((await center.page()).recordings, [stored]);
      assert.ok((await opened.again(center.contactCenter)).recordingsRevision > before);
      await assert.rejects(center.complete(recording), isConflict);
      assert.equal(await center.discard(recording), 'theirs');
      assert.deepEqual(await center.events(), [{ ...eventOf('recording.added', 1), number: 1 }]);
    });

    it('is made once for one idempotency key', async () => {
      const { contactCenter, complete, discard, page, purge } = await useCenter(opened);
      const { recordings } = opened.store;
      const idempotency = { key: 'k', fingerprint: 'f' };
      const reserve = (changes = {}, idem = idempotency) =>
        recordings.reserve(contactCenter, said(changes), { id: nextId(), now: 9 }, idem);
      const [first, second] = await Promise.all([reserve(), reserve()]);
      assert.deepEqual([first.isNew, first.superseded, first.sha256], [true, null, null]);
      assert.deepEqual([second.isNew, second.superseded], [false, first.recording.mediaId]);
      assert.equal(second.recording.number, 1);
      assert.equal(second.recording.id, first.recording.id);
      assert.notEqual(second.recording.mediaId, first.recording.mediaId);
      // Only the last attempt can end it, one way or the other.
      await assert.rejects(complete(first.recording), isConflict);
      assert.equal(await discard(first.recording), 'theirs');
      const stored = await complete(second.recording);
      const before = { isNew: false, superseded: null, sha256: FACTS.sha256 };
      assert.deepEqual(await reserve(), { ...before, recording: stored });
      await assert.rejects(reserve({}, { key: 'k', fingerprint: 'g' }), isConflict);
      assert.equal((await page()).total, 1);
      const purged = await purge(1);
      assert.deepEqual(await reserve(), { ...before, recording: purged });
      await assert.rejects(reserve({}, { key: 'k', fingerprint: 'g' }), isConflict);
      // A tombstone keeps its key for thirty days after it became one.
      const until = eventOf('recording.purged', 1).at + KEY_LIFE;
      const due = (at: number) => opened.store.letting.due(contactCenter, 'key', at, null, 9);
      assert.deepEqual((await due(until - 1)).recordings, []);
      await opened.store.letting.forgetKey(contactCenter, 1, until - 1);
      assert.deepEqual((await due(until)).recordings, [purged]);
      await opened.store.letting.forgetKey(contactCenter, 1, until);
      assert.deepEqual((await due(until)).recordings, []);
      assert.deepEqual(await recordings.find(contactCenter, 1), purged);
      assert.equal((await reserve({}, { key: 'k', fingerprint: 'g' })).recording.number, 2);
      // A key is free again once its recording was discarded.
      const third = await reserve({}, { key: 'other', fingerprint: 'f' });
      assert.equal(await discard(third.recording), 'dropped');
      assert.equal((await reserve({}, { key: 'other', fingerprint: 'g' })).isNew, true);
    });

    it('is changed, and its links end when they are revoked', async () => {
      const { contactCenter, add, events } = await useCenter(opened);
      const { recordings } = opened.store;
      const { number } = await add();
      const change = (changes: Parameters<typeof recordings.change>[2], of = number) =>
        recordings.change(contactCenter, of, changes, () => eventOf('recording.changed', of));
      assert.equal((await change({ legalHold: true })).legalHold, true);
      assert.equal((await change({ keepUntil: 77 })).keepUntil, 77);
      assert.deepEqual(
        [(await change({ revoke: true })).revocations, (await change({})).revocations],
        [1, 1],
      );
      assert.equal((await change({ keepUntil: null })).keepUntil, null);
      const { length } = await events();
      const before = await opened.again(contactCenter);
      assert.equal((await change({ legalHold: true, keepUntil: null })).legalHold, true);
      assert.equal((await events()).length, length, 'what is so already is no change');
      assert.equal((await opened.again(contactCenter)).recordingsRevision, before.recordingsRevision);
      await assert.rejects(change({}, 99), (error) => error instanceof Failure && error.kind === 'not_found');
    });

    it('becomes a tombstone that tells of nobody, unless it is under legal hold', async () => {
      const center = await useCenter(opened);
      const { recordings } = opened.store;
      const given = { leadId: 5, callId: 'c', remoteNumber: '+15550100', legalHold: true, keepUntil: 6 };
      const { number, ...rest } = await center.add(given);
      await assert.rejects(center.purge(number), isConflict);
      const release = () => eventOf('recording.changed', number);
      await recordings.change(center.contactCenter, number, { legalHold: false }, release);
      const purged = await center.purge(number);
      const told = { userNumber: null, leadId: null, callId: null, direction: null, remoteNumber: null };
      const gone = { ...told, startedAt: 0, endedAt: null, seconds: null, media: null, keepUntil: null };
      assert.deepEqual(purged, { ...rest, ...gone, number, state: 'purged', legalHold: false });
      assert.deepEqual(await center.purge(number), purged);
      assert.deepEqual(
        (await center.events()).map(({ action }) => action),
        ['recording.added', 'recording.changed', 'recording.purged'],
      );
      assert.equal((await center.page({ leadId: 5 })).total, 0);
      assert.equal((await center.page({ states: ['purged'] })).total, 1);
    });
  });

  describe('the audit', () => {
    const opened = useStore(engine);
    const keep = async (contactCenter: ContactCenter, count: number) => {
      for (let at = 1; at <= count; at += 1) {
        opened.store.audit.record(contactCenter, eventOf('recording.played', at));
      }
      await opened.store.audit.flush();
    };

    it('keeps events in their order, numbered for each contact center', async () => {
      const { audit } = opened.store;
      const [one, other] = [await opened.contactCenter(), await opened.contactCenter()];
      const actors = [
        { kind: 'token', tokenId: 't' },
        { kind: 'link', tokenId: null },
        { kind: 'link', tokenId: 'u' },
        { kind: 'cli' },
        { kind: 'job' },
      ] as const;
      const events = actors.map(
        (actor, at): AuditEvent => ({
          at: 100 - at,
          actor,
          action: 'recording.refused',
          subject: at % 2 === 0 ? null : 'ö',
          outcome: 'refused',
          details: { reason: 'expired', first: 0, whole: true, last: null },
        }),
      );
      for (const event of events) audit.record(one, event);
      audit.record(other, eventOf('key.rotated', 1));
      await audit.flush();
      const kept = events.map((event, at) => ({ ...event, number: at + 1 }));
      assert.deepEqual(await audit.page(one, 0, 10), kept);
      assert.deepEqual(await audit.page(one, 2, 2), kept.slice(2, 4));
      assert.equal((await audit.page(other, 0, 10)).length, 1);
    });

    it('keeps what is told while it is being written', async () => {
      const { audit, writer } = opened.store;
      const contactCenter = await opened.contactCenter();
      const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
      // The store has another writer, for whom the audit waits.
      const other = writer.write(contactCenter, () => isOver);
      audit.record(contactCenter, eventOf('recording.played', 1));
      const flushed = audit.flush();
      await new Promise(setImmediate);
      audit.record(contactCenter, eventOf('recording.played', 2));
      end();
      await Promise.all([other, flushed]);
      await audit.flush();
      const subjects = (await audit.page(contactCenter, 0, 10)).map(({ subject }) => subject);
      assert.deepEqual(subjects, ['1', '2']);
    });

    it('keeps all of many, and soon without being asked to', async () => {
      const contactCenter = await opened.contactCenter();
      await keep(contactCenter, 3000);
      assert.equal((await opened.store.audit.page(contactCenter, 2990, 100)).at(-1)?.subject, '3000');
      opened.store.audit.record(contactCenter, eventOf('recording.played', 4));
      const deadline = Date.now() + 10_000;
      while ((await opened.store.audit.page(contactCenter, 3000, 1)).length === 0) {
        assert.ok(Date.now() < deadline, 'the event was not kept');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  });
}

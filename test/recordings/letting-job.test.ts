import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { v7 as uuidV7 } from 'uuid';
import { Failure } from '../../src/errors.ts';
import {
  isAnythingDue,
  type LettingJobDeps,
  type Rhythm,
  type Rounds,
  runRound,
  startLettingJob,
} from '../../src/jobs/letting-job.ts';
import type { Lease } from '../../src/recordings/ports.ts';
import type { NewRecording } from '../../src/recordings/recording.ts';
import { eventOf, said } from '../contract/recordings-contract.ts';
import { NOW, useCenter } from './center.ts';
import { DAY, type LettingWorld, makeLettingWorld, PACE } from './letting-world.ts';

const RHYTHM: Rhythm = { first: 1, between: 1, look: 1, pause: 0, batch: 2 };
/** Nobody else takes it. */
const LEASE: Lease = { take: async () => new AbortController().signal, release: async () => {} };

/** What a job over these contact centers works with, and what it logs. */
function jobOver(worlds: readonly LettingWorld[], changes: Partial<LettingJobDeps['letting']> = {}) {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const [first] = worlds;
  assert.ok(first);
  const deps: LettingJobDeps = {
    letting: { ...first.deps, ...changes },
    contactCenters: async () => worlds.map(({ contactCenter }) => contactCenter),
    log: (facts) => lines.push(facts),
  };
  return { deps, lines };
}

describe('the job that lets recordings go', () => {
  const center = useCenter();

  it('purges, archives and ends what was broken off, in every contact center', async () => {
    const [one, two] = [await makeLettingWorld(center), await makeLettingWorld(center)];
    await one.set('recordings.archiveAfterDays', '10');
    for (const days of [91, 92, 11, 1]) await one.add(days);
    await one.store.letting.purgeIf(one.contactCenter, 1, () => true, eventOf('recording.purged', 1));
    for (const days of [91, 1]) await two.add(days);
    const abandoned = { tier: 'archive', id: center.newId() } as const;
    await two.store.letting.beginMove(two.contactCenter, 2, abandoned);
    one.archive.audio.set(abandoned.id, { content: Buffer.from('copy'), modifiedAt: NOW - DAY });
    for (const [id, audio] of two.main.audio) one.main.audio.set(id, audio);
    const { deps, lines } = jobOver([one, two]);
    await runRound(deps, PACE);
    assert.deepEqual([await one.numbers('purged'), await one.numbers('archived')], [[1, 2], [3]]);
    assert.deepEqual([await two.numbers('purged'), await two.numbers('stored')], [[1], [2]]);
    assert.deepEqual([one.main.audio.size, one.archive.audio.size], [2, 1]);
    const counts = { dropped: 0, keys: 0, lost: 0, damaged: 0, milliseconds: 0 };
    assert.deepEqual(lines, [
      {
        job: 'letting',
        contactCenter: one.contactCenter.name,
        ...counts,
        purged: 1,
        archived: 1,
        removed: 1,
      },
      {
        job: 'letting',
        contactCenter: two.contactCenter.name,
        ...counts,
        purged: 1,
        archived: 0,
        removed: 1,
      },
    ]);
    // It tells of nothing where it has nothing to do.
    await runRound(deps, PACE);
    assert.equal(lines.length, 2);
    const actors = await one.store.audit.page(one.contactCenter, 0, 100);
    assert.ok(actors.some(({ action, actor }) => action === 'recording.purged' && actor.kind === 'job'));
  });

  it('lets go of idempotency keys thirty days after their recordings, and of what they were used for', async () => {
    const world = await makeLettingWorld(center);
    const key = 'a key';
    const idempotency = { key, fingerprint: 'a guess away from a phone number' };
    const reserve = () =>
      world.store.recordings.reserve(
        world.contactCenter,
        said({ startedAt: NOW }),
        { id: center.newId(), now: NOW },
        idempotency,
      );
    const { number } = (await reserve()).recording;
    const event = { ...eventOf('recording.purged', number), at: NOW };
    await world.store.recordings.purge(world.contactCenter, number, event);
    const later = (days: number) => {
      const { deps, lines } = jobOver([world], { now: () => NOW + days * DAY });
      return { deps, lines, isDue: () => isAnythingDue(deps) };
    };
    await runRound(later(29).deps, PACE);
    assert.equal(await later(29).isDue(), false);
    assert.equal((await reserve()).recording.number, number);
    const { deps, lines, isDue } = later(30);
    assert.equal(await isDue(), true);
    await runRound(deps, PACE);
    assert.equal(await isDue(), false);
    assert.deepEqual(
      lines.map(({ keys }) => keys),
      [1],
    );
    assert.notEqual((await reserve()).recording.number, number);
  });

  it('drops what was announced a day ago and never came, unless it is held or was tried again', async () => {
    const world = await makeLettingWorld(center);
    const reserve = async (changes: Partial<NewRecording> = {}, id = center.newId(), now = NOW - DAY) => {
      const made = { id, now };
      const given = said({ startedAt: NOW, ...changes });
      const { recording } = await world.store.recordings.reserve(world.contactCenter, given, made);
      world.main.audio.set(recording.mediaId, { content: Buffer.from('x'), modifiedAt: now });
      return recording;
    };
    const { mediaId } = await reserve();
    await reserve({ legalHold: true });
    await reserve({}, center.newId(), NOW - DAY + 1);
    const { deps, lines } = jobOver([world]);
    assert.equal(await isAnythingDue(deps), true);
    await runRound(deps, PACE);
    assert.equal(await isAnythingDue(deps), false);
    await reserve({}, uuidV7({ msecs: NOW - DAY + 1 }));
    await runRound(deps, PACE);
    assert.deepEqual(await world.numbers('pending'), [2, 3, 4]);
    assert.deepEqual([world.main.audio.size, world.main.audio.has(mediaId)], [3, false]);
    assert.deepEqual(await world.actions(), ['recording.dropped 1']);
    assert.deepEqual(
      lines.map(({ dropped }) => dropped),
      [1],
    );
  });

  it('goes on with the others where one contact center fails, and says so', async () => {
    const [one, two] = [await makeLettingWorld(center), await makeLettingWorld(center)];
    await one.add(91);
    await two.add(91);
    for (const [id, audio] of two.main.audio) one.main.audio.set(id, audio);
    const failing = (error: Error) => ({
      ...one.deps.store,
      due: async (...asked: Parameters<LettingWorld['store']['letting']['due']>) => {
        if (asked[0].id === one.contactCenter.id) throw error;
        return one.deps.store.due(...asked);
      },
    });
    const out = new Failure('unavailable', 'the store is out of order');
    const { deps, lines } = jobOver([one, two], { store: failing(out) });
    await runRound(deps, PACE);
    const { name } = one.contactCenter;
    assert.deepEqual(lines[0], { job: 'letting', contactCenter: name, failure: out.message });
    assert.deepEqual(await two.numbers('purged'), [1]);
    // An error that nobody foresaw is told without its message, which may quote a row.
    const bug = jobOver([one], { store: failing(new TypeError('+15550100')) });
    await runRound(bug.deps, PACE);
    assert.equal(bug.lines.length, 1);
    assert.match(JSON.stringify(bug.lines), /"type":"TypeError"/);
    assert.doesNotMatch(JSON.stringify(bug.lines), /5550100/);
  });

  it('goes round after round until it is stopped, and not a batch longer', async () => {
    const world = await makeLettingWorld(center);
    const { deps, lines } = jobOver([world]);
    let rounds = 0;
    const job: Rounds = {
      lease: LEASE,
      isDue: () => isAnythingDue(deps),
      run: async (signal) => {
        rounds += 1;
        await runRound(deps, { ...PACE, signal });
      },
      log: deps.log,
    };
    const running = startLettingJob(job, RHYTHM);
    await world.add(91);
    while ((await world.numbers('purged')).length < 1) await new Promise(setImmediate);
    await world.add(91);
    while ((await world.numbers('purged')).length < 2) await new Promise(setImmediate);
    await running.stop();
    await world.add(91);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.deepEqual(await world.numbers('purged'), [1, 2]);
    assert.equal(rounds, 2);
    const waiting = startLettingJob(job, { ...RHYTHM, first: 3_600_000 });
    await waiting.stop();

    // Stopped while it finds out whether anything is due, it begins no round.
    let answer = (_: boolean) => {};
    const wasAsked = Promise.withResolvers<void>();
    const finding = startLettingJob(
      {
        ...job,
        isDue: () =>
          new Promise((resolve) => {
            answer = resolve;
            wasAsked.resolve();
          }),
      },
      RHYTHM,
    );
    await wasAsked.promise;
    const stopped = finding.stop();
    answer(true);
    await stopped;
    assert.equal(rounds, 2);

    // Where it cannot even be told what is due, that is logged, and the next round comes all the same.
    const before = lines.length;
    let asked = 0;
    const failing = startLettingJob(
      {
        ...job,
        isDue: async () => {
          asked += 1;
          throw new Failure('unavailable', 'the store is out of order');
        },
      },
      RHYTHM,
    );
    while (asked < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    await failing.stop();
    assert.deepEqual(lines[before], { job: 'letting', failure: 'the store is out of order' });
  });

  it('does its rounds only while no other process does, and breaks off where it cannot tell', async () => {
    let holder = new AbortController();
    let isTaken = true;
    let taken = 0;
    let released = 0;
    const rounds: AbortSignal[] = [];
    const began: (() => void)[] = [];
    const round = () => new Promise<void>((resolve) => began.push(resolve));
    const job = startLettingJob(
      {
        lease: {
          async take() {
            taken += 1;
            return isTaken ? null : holder.signal;
          },
          async release() {
            released += 1;
          },
        },
        isDue: async () => true,
        run: (signal) =>
          new Promise((resolve) => {
            rounds.push(signal);
            signal.addEventListener('abort', () => resolve());
            began.pop()?.();
          }),
        log: () => assert.fail('there is nothing to tell of'),
      },
      RHYTHM,
    );
    while (taken < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal(rounds.length, 0, 'another process holds it');
    const first = round();
    isTaken = false;
    await first;
    const second = round();
    const lost = holder;
    holder = new AbortController();
    lost.abort();
    await second;
    assert.deepEqual(
      rounds.map(({ aborted }) => aborted),
      [true, false],
    );
    await job.stop();
    assert.deepEqual([rounds[1]?.aborted, released], [true, 1]);
  });

  it('knows at little cost whether a round would do anything', async () => {
    const [quiet, world] = [await makeLettingWorld(center), await makeLettingWorld(center)];
    const places = { main: world.main, archive: world.archive };
    const { deps } = jobOver([quiet, world], { places });
    await quiet.add(10);
    await world.add(40);
    const isDue = () => isAnythingDue(deps);
    const event = eventOf('recording.changed', 1);
    const change = (changes: Parameters<typeof world.store.recordings.change>[2]) =>
      world.store.recordings.change(world.contactCenter, 1, changes, () => event);
    assert.equal(await isDue(), false);
    await change({ keepUntil: NOW });
    assert.equal(await isDue(), true);
    await change({ legalHold: true });
    assert.equal(await isDue(), false);
    await change({ legalHold: false, keepUntil: null });
    await world.set('recordings.archiveAfterDays', '40');
    assert.equal(await isDue(), true);
    assert.equal(await isAnythingDue(jobOver([world], { places: { ...places, archive: null } }).deps), false);
    await world.set('recordings.archiveAfterDays', '41');
    assert.equal(await isDue(), false);
    await world.set('recordings.retentionDays', '40');
    assert.equal(await isDue(), true);
    await world.set('recordings.retentionDays', '41');
    const copy = { tier: 'archive', id: center.newId() } as const;
    await world.store.letting.beginMove(world.contactCenter, 1, copy);
    assert.equal(await isDue(), true);
    await world.store.letting.callOffMove(world.contactCenter, 1, copy);
    assert.equal(await isDue(), true);
    await world.store.letting.clearLeftover(world.contactCenter, 1, [copy]);
    assert.equal(await isDue(), false);
    world.main.countUnfinished = async (before) => (before === NOW - DAY ? 1 : 0);
    assert.equal(await isDue(), true);
  });
});

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Failure } from '../../src/errors.ts';
import { moveRecording } from '../../src/recordings/move.ts';
import { type SweepFinding, type SweepOptions, sweep } from '../../src/recordings/sweep.ts';
import { type SweepingStrangers, sweepStrangers } from '../../src/recordings/sweep-strangers.ts';
import { eventOf, said } from '../contract/recordings-contract.ts';
import { NOW, useCenter } from './center.ts';
import { DAY, type LettingWorld, makeLettingWorld, PACE } from './letting-world.ts';

const OPTIONS: SweepOptions = {
  mend: false,
  checksums: false,
  grace: 3_600_000,
  pendingLife: DAY,
  mostLost: 10,
};

async function find(world: LettingWorld, changes: Partial<SweepOptions> = {}): Promise<SweepFinding[]> {
  const found: SweepFinding[] = [];
  const options = { ...OPTIONS, ...changes };
  await sweep(world.deps, world.contactCenter, options, PACE, (finding) => found.push(finding));
  return found.sort((a, b) => a.kind.localeCompare(b.kind) || (a.number ?? 0) - (b.number ?? 0));
}

const told = (found: readonly SweepFinding[]) => found.map(({ kind, number }) => [kind, number]);

/** What is found, then mended, then found no more. */
async function mends(world: LettingWorld, expected: readonly (readonly [string, number | null])[]) {
  assert.deepEqual(told(await find(world)), expected);
  // Looking changes nothing.
  assert.deepEqual(told(await find(world)), expected);
  const mended = await find(world, { mend: true });
  assert.deepEqual(told(mended), expected);
  assert.ok(mended.every(({ isMended }) => isMended));
  assert.deepEqual(await find(world, { mend: true, checksums: true }), []);
}

describe('a sweep', () => {
  const center = useCenter();

  it('finds nothing where all is well, however old and wherever it lies', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 8; count += 1) {
      const recording = await world.add(count);
      if (count % 2 === 0) {
        await moveRecording(world.deps, world.contactCenter, recording, 'archive', { kind: 'cli' });
      }
    }
    assert.deepEqual(await find(world, { checksums: true, grace: -1, pendingLife: -1 }), []);
  });

  it('removes audio that is no recording’s, once it is old enough', async () => {
    const world = await makeLettingWorld(center);
    const { mediaId } = await world.add(1);
    const purged = await world.add(1);
    await world.store.recordings.purge(world.contactCenter, 2, eventOf('recording.purged', 2));
    await world.store.letting.clearLeftover(world.contactCenter, 2, [{ tier: 'main', id: purged.mediaId }]);
    const content = Buffer.from('nobody’s');
    world.main.audio.set(center.newId(), { content, modifiedAt: NOW - 3_600_000 });
    world.archive.audio.set(center.newId(), { content, modifiedAt: NOW - 3_600_000 });
    const young = center.newId();
    world.main.audio.set(young, { content, modifiedAt: NOW - 3_599_999 });
    await mends(world, [
      ['orphan', null],
      ['orphan', null],
      ['orphan', null],
    ]);
    assert.deepEqual([...world.main.audio.keys()].sort(), [mediaId, young].sort());
    assert.equal(world.archive.audio.size, 0);
  });

  it('ends what was broken off: removals, and moves once they are old enough', async () => {
    const world = await makeLettingWorld(center);
    const [one, two] = [await world.add(1), await world.add(1)];
    await world.store.recordings.purge(world.contactCenter, 1, eventOf('recording.purged', 1));
    const copy = { tier: 'archive', id: center.newId() } as const;
    await world.store.letting.beginMove(world.contactCenter, 2, copy);
    world.archive.audio.set(copy.id, { content: Buffer.from('half'), modifiedAt: NOW - DAY });
    const begun = Number.parseInt(copy.id.slice(0, 8) + copy.id.slice(9, 13), 16);
    const young = await find(world, { grace: NOW - begun + 1 });
    assert.deepEqual(told(young), [['leftover', 1]]);
    assert.deepEqual(told(await find(world)), [
      ['leftover', 1],
      ['move', 2],
    ]);
    // The copy is removed with what else is left over.
    assert.deepEqual(told(await find(world, { mend: true })), [
      ['leftover', 1],
      ['leftover', 2],
      ['move', 2],
    ]);
    assert.deepEqual(await find(world, { checksums: true }), []);
    assert.ok(!world.main.audio.has(one.mediaId) && world.main.audio.has(two.mediaId));
    assert.equal(world.archive.audio.size, 0);
  });

  it('lets go of recordings whose audio never came, with what came of it', async () => {
    const world = await makeLettingWorld(center);
    const reserve = async (now: number) => {
      const made = { id: center.newId(), now };
      const { recording } = await world.store.recordings.reserve(world.contactCenter, said(), made);
      world.main.audio.set(recording.mediaId, { content: Buffer.from('x'), modifiedAt: now });
      return recording;
    };
    await reserve(NOW - DAY);
    const young = await reserve(NOW - DAY + 1);
    await mends(world, [['pending', 1]]);
    assert.deepEqual([...world.main.audio.keys()], [young.mediaId]);
    assert.equal(await world.store.recordings.find(world.contactCenter, 1), null);
  });

  it('drops nothing that is under legal hold, though its audio never came, and says why', async () => {
    const world = await makeLettingWorld(center);
    for (const legalHold of [true, false]) {
      const made = { id: center.newId(), now: NOW };
      await world.store.recordings.reserve(world.contactCenter, said({ legalHold }), made);
    }
    const [held, free] = await find(world, { mend: true, pendingLife: 0 });
    assert.deepEqual([held?.number, held?.isMended], [1, false]);
    assert.match(held?.reason ?? '', /legal hold/);
    assert.deepEqual([free?.number, free?.isMended, free?.reason], [2, true, null]);
    assert.deepEqual(await world.numbers('pending'), [1]);
    assert.deepEqual(await world.actions(), ['recording.dropped 2']);
  });

  it('gives up what is lost, and tells of it in the audit; not what is under legal hold', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 4; count += 1) await world.add(1, { legalHold: count === 3 });
    for (const number of [2, 4]) world.main.audio.delete((await world.find(number)).mediaId);
    const found = await find(world, { mend: true });
    assert.deepEqual(told(found), [
      ['lost', 2],
      ['lost', 4],
    ]);
    assert.deepEqual(
      found.map(({ isMended, reason }) => [isMended, reason === null]),
      [
        [true, true],
        [false, false],
      ],
    );
    assert.deepEqual(await world.numbers('purged'), [2]);
    assert.equal((await world.find(2)).userNumber, null);
    assert.ok((await world.actions()).includes('recording.lost 2'));
    assert.deepEqual(told(await find(world, { mend: true })), [['lost', 4]]);
  });

  it('gives up nothing where much is lost: the folder may be the wrong one', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 4; count += 1) await world.add(1);
    world.main.audio.clear();
    const found = await find(world, { mend: true, mostLost: 3 });
    assert.deepEqual([found.length, found.some(({ isMended }) => isMended)], [4, false]);
    assert.match(found[0]?.reason ?? '', /is the media folder the right one/);
    // Nor is what lies there removed: it may be somebody else's.
    world.main.audio.set(center.newId(), { content: Buffer.from('theirs'), modifiedAt: 0 });
    const [orphan] = await find(world, { mend: true, mostLost: 3 }).then((all) =>
      all.filter(({ kind }) => kind === 'orphan'),
    );
    assert.deepEqual([orphan?.isMended, world.main.audio.size], [false, 1]);
    assert.match(orphan?.reason ?? '', /nothing is removed while/);
    assert.equal((await find(world, { mend: true, mostLost: 4 })).length, 5);
    assert.equal((await world.numbers('purged')).length, 4);
    assert.equal(world.main.audio.size, 0);
  });

  it('takes it for the wrong folder where nearly all is lost, unless told otherwise', async () => {
    const world = await makeLettingWorld(center);
    for (let count = 0; count < 10; count += 1) await world.add(1);
    const lose = async (number: number) => world.main.audio.delete((await world.find(number)).mediaId);
    for (let number = 1; number <= 9; number += 1) await lose(number);
    const swept = (mostLost: number | null) =>
      sweep(world.deps, world.contactCenter, { ...OPTIONS, mend: true, mostLost }, PACE, () => {});
    assert.deepEqual(await swept(null), { looked: 10, lost: 9, isAstray: true });
    assert.deepEqual(await world.numbers('purged'), []);
    assert.deepEqual(await swept(9), { looked: 10, lost: 9, isAstray: false });
    assert.equal((await world.numbers('purged')).length, 9);
    assert.deepEqual(await swept(null), { looked: 1, lost: 0, isAstray: false });
    await lose(10);
    assert.deepEqual(await swept(null), { looked: 1, lost: 1, isAstray: true });
  });

  it('removes audio of contact centers that are not known, once it is old enough', async () => {
    const world = await makeLettingWorld(center);
    const content = Buffer.from('theirs');
    const put = (place: typeof world.main, modifiedAt: number, contactCenterId: number) => {
      const id = center.newId();
      place.audio.set(id, { content, modifiedAt, contactCenterId });
      return id;
    };
    const { id: known } = world.contactCenter;
    const [old, archived] = [
      put(world.main, NOW - 3_600_000, 9001),
      put(world.archive, NOW - 3_600_000, 9002),
    ];
    const kept = [put(world.main, NOW - 3_599_999, 9001), put(world.main, NOW - DAY, known)];
    const found: unknown[] = [];
    const sweepAll = async (changes: Partial<SweepingStrangers> = {}) => {
      found.length = 0;
      await sweepStrangers({
        deps: world.deps,
        contactCenters: () => world.store.access.contactCenters(),
        options: { ...OPTIONS, mend: true },
        spares: null,
        pace: PACE,
        onFinding: (contactCenterId, { kind, tier, id, isMended, reason }) =>
          found.push([contactCenterId, kind, tier, id, isMended, reason]),
        ...changes,
      });
      return found;
    };
    const told = (isMended: boolean, reason: string | null) => [
      [9001, 'orphan', 'main', old, isMended, reason],
      [9002, 'orphan', 'archive', archived, isMended, reason],
    ];
    assert.deepEqual(await sweepAll({ options: OPTIONS }), told(false, null));
    assert.deepEqual(await sweepAll({ spares: 'why' }), told(false, 'why'));
    // Both are made while the sweep is under way.
    let asked = 0;
    const contactCenters = async () => {
      asked += 1;
      return [known, ...(asked === 1 ? [] : [9001, 9002])].map((id) => ({ id }));
    };
    assert.deepEqual(await sweepAll({ contactCenters }), []);
    assert.deepEqual(await sweepAll(), told(true, null));
    assert.deepEqual([...world.main.audio.keys()].sort(), kept.sort());
    assert.deepEqual(await sweepAll(), []);
  });

  it('tells of audio that is not what came in, by its size and by its checksum, and leaves it', async () => {
    const world = await makeLettingWorld(center);
    const [one, two] = [await world.add(1), await world.add(1)];
    world.main.audio.set(one.mediaId, { content: Buffer.from('short'), modifiedAt: 0 });
    const content = Buffer.alloc(two.media?.bytes ?? 0);
    world.main.audio.set(two.mediaId, { content, modifiedAt: 0 });
    assert.deepEqual(told(await find(world, { mend: true })), [['damaged', 1]]);
    assert.deepEqual(told(await find(world, { mend: true, checksums: true })), [
      ['damaged', 1],
      ['damaged', 2],
    ]);
    assert.equal(world.main.audio.size, 2);
    assert.equal((await world.numbers('stored')).length, 2);
  });

  it('finds audio that lies elsewhere, as after a backup of the store alone was put back', async () => {
    const world = await makeLettingWorld(center);
    const [one, two, three] = [
      await world.add(1),
      await world.add(1, { legalHold: true }),
      await world.add(1),
    ];
    const content = (mediaId: string) => {
      const found = world.main.audio.get(mediaId);
      world.main.audio.delete(mediaId);
      assert.ok(found);
      return found;
    };
    world.archive.audio.set(center.newId(), content(one.mediaId));
    world.archive.audio.set(two.mediaId, content(two.mediaId));
    // Of the same size, but not the same.
    const other = Buffer.from(content(three.mediaId).content).fill('x');
    world.archive.audio.set(center.newId(), { content: other, modifiedAt: NOW - DAY });
    assert.deepEqual(
      told(await find(world, { mend: true })),
      [
        ['lost', 3],
        ['misplaced', 1],
        ['misplaced', 2],
        ['orphan', null],
      ].sort((a, b) => String(a[0]).localeCompare(String(b[0]))),
    );
    assert.deepEqual(await find(world, { checksums: true }), []);
    assert.deepEqual(await world.numbers('archived'), [1, 2]);
    assert.equal((await world.find(1)).id, one.id);
  });

  it('stops where a tier is not there or fails, before anything is given up', async () => {
    const world = await makeLettingWorld(center);
    const recording = await world.add(1);
    await moveRecording(world.deps, world.contactCenter, recording, 'archive', { kind: 'cli' });
    const deps = { ...world.deps, places: { main: world.main, archive: null } };
    const ofKind = (kind: string) => (error: unknown) => error instanceof Failure && error.kind === kind;
    await assert.rejects(
      sweep(deps, world.contactCenter, { ...OPTIONS, mend: true }, PACE, () => {}),
      ofKind('precondition'),
    );
    world.archive.find = async () => {
      throw new Failure('unavailable', 'out of order');
    };
    await assert.rejects(find(world, { mend: true }), ofKind('unavailable'));
    assert.deepEqual(await world.numbers('archived'), [1]);
  });
});

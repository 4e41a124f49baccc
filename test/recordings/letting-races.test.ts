import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AuditEvent } from '../../src/access/audit.ts';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { Failure } from '../../src/errors.ts';
import { archive } from '../../src/recordings/archive.ts';
import { removeAllLeftovers } from '../../src/recordings/leftovers.ts';
import type { LettingDeps, Pace } from '../../src/recordings/letting.ts';
import { callOffMoves, moveRecording } from '../../src/recordings/move.ts';
import { purge } from '../../src/recordings/purge.ts';
import { type SweepFinding, type SweepOptions, sweep } from '../../src/recordings/sweep.ts';
import { addUsers, person } from '../contract/people.ts';
import { eventOf, said } from '../contract/recordings-contract.ts';
import { NOW, useCenter } from './center.ts';
import { createMemoryPlace, type MemoryPlace } from './memory-place.ts';

const DAY = 86_400_000;
const RECORDINGS = 3;

/** What may befall one call of the store or of a place: it takes a while, and perhaps fails or is the last. */
interface Fate {
  readonly turns: number;
  readonly end: 'well' | 'fails' | 'dies before' | 'dies after';
}

const fate: fc.Arbitrary<Fate> = fc.record({
  turns: fc.oneof(fc.constant(0), fc.nat(12)),
  end: fc.oneof(
    { weight: 20, arbitrary: fc.constant('well' as const) },
    { weight: 1, arbitrary: fc.constantFrom('fails', 'dies before', 'dies after' as const) },
  ),
});

const WORKS = ['archive', 'restore', 'call off', 'leftovers', 'purge', 'sweep', 'hold'] as const;
const worker = fc.record({
  work: fc.constantFrom(...WORKS),
  fates: fc.array(fate, { minLength: 5, maxLength: 60 }),
});

/** Calls that are under way, of those who live. */
let underWay = 0;

/** Resolves when nobody who lives does anything any more: where one call fails, others may still go on. */
async function becomeQuiet(): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet += 1) {
    await new Promise(setImmediate);
    if (underWay > 0) quiet = 0;
  }
}

/** Wraps calls of an object so that each meets its fate; once one was the last, no call ever ends. */
function fated<T extends object>(target: T, next: () => Fate, life: { dead: boolean; die: () => void }): T {
  const never = () => {
    underWay -= 1;
    return new Promise<never>(() => {});
  };
  return new Proxy(target, {
    get(of, name) {
      const call: unknown = Reflect.get(of, name);
      if (typeof call !== 'function' || name === 'list') return call;
      return async (...given: unknown[]) => {
        const { turns, end } = next();
        underWay += 1;
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
        if (life.dead) return never();
        if (end === 'dies before') {
          life.die();
          return never();
        }
        try {
          if (end === 'fails') throw new Failure('unavailable', 'out of order', { retryAfter: 1 });
          return await Reflect.apply(call, of, given);
        } finally {
          for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
          if (end === 'dies after') life.die();
          if (life.dead) await never();
          underWay -= 1;
        }
      };
    },
  });
}

const ALL: SweepOptions = { mend: true, checksums: true, grace: -1, pendingLife: 0, mostLost: 0 };
const pace: Pace = {
  actor: { kind: 'job' },
  batch: 3,
  pause: () => new Promise(setImmediate),
  onProgress: () => {},
  signal: new AbortController().signal,
};

describe('whoever works on the same recordings at the same time, and wherever they die', () => {
  const center = useCenter();

  it('no recording is without its audio, and what was left behind is found', {
    timeout: 400_000,
  }, async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(fc.array(worker, { minLength: 3, maxLength: 7 }), async (workers) => {
        const { store } = center;
        const contactCenter = await newContactCenter();
        const places = { main: createMemoryPlace(() => NOW), archive: createMemoryPlace(() => NOW) };
        const deps: LettingDeps = { store: store.letting, places, now: () => NOW, newId: center.newId };
        const ids = await takeIn(contactCenter, places);
        await Promise.all(workers.map(({ work, fates }) => runFated(deps, contactCenter, work, fates)));

        await becomeQuiet();
        await recover(deps, contactCenter, seen);
        const whole: string[] = [];
        for (const { recording } of await store.letting.byNumbers(contactCenter, 0, 100)) {
          if (recording.state === 'purged') {
            assert.ok(recording.number !== 1 || !held.has(contactCenter.id), 'purged under legal hold');
            continue;
          }
          const place = recording.state === 'archived' ? places.archive : places.main;
          const audio = place.audio.get(recording.mediaId);
          assert.ok(audio, `recording ${recording.number} is ${recording.state} without its audio`);
          assert.equal(audio.content.toString(), ids.get(recording.number));
          whole.push(recording.mediaId);
        }
        assert.deepEqual([...places.main.audio.keys(), ...places.archive.audio.keys()].sort(), whole.sort());
      }),
      { numRuns: 700 },
    );
    // Orphans are found as well, but too seldom to be counted on.
    for (const kind of ['leftover', 'move']) assert.ok(seen.has(kind), `${kind} was never found`);
    for (const kind of ['lost', 'damaged', 'misplaced']) assert.ok(!seen.has(kind), kind);
  });

  /** Contact centers whose first recording was put under legal hold before it was purged. */
  const held = new Set<number>();
  let centers = 0;
  async function newContactCenter(): Promise<ContactCenter> {
    centers += 1;
    const { store } = center;
    const made = await store.access.createContactCenter(`race-${centers}`, 'UTC', NOW);
    await store.access.setSetting(made, 'recordings.archiveAfterDays', '10');
    await addUsers(store, made, [person(1, { dialectNumbers: {} })]);
    const now = await store.access.findContactCenter(made.name);
    assert.ok(now);
    return now;
  }

  /** Recordings of which the first are due for the purge, and all for the archive; every other one is archived. */
  async function takeIn(
    contactCenter: ContactCenter,
    places: Record<'main' | 'archive', MemoryPlace>,
  ): Promise<Map<number, string>> {
    const { store } = center;
    const contents = new Map<number, string>();
    for (let at = 0; at < RECORDINGS; at += 1) {
      const startedAt = NOW - (at < 2 ? 100 : 50) * DAY;
      const made = { id: center.newId(), now: NOW };
      const { recording } = await store.recordings.reserve(contactCenter, said({ startedAt }), made);
      const { number } = recording;
      const content = Buffer.from(`audio of ${contactCenter.id}/${number}`);
      const sha256 = createHash('sha256').update(content).digest('hex');
      const facts = {
        mediaType: 'audio/wav',
        bytes: content.length,
        sha256,
        seconds: 1,
        endedAt: null,
      } as const;
      const event = eventOf('recording.added', number);
      const stored = await store.recordings.complete(contactCenter, recording, facts, event);
      const tier = at % 2 === 0 ? 'main' : 'archive';
      places[tier].audio.set(stored.mediaId, { content, modifiedAt: NOW });
      if (tier === 'archive') {
        await store.letting.adopt(contactCenter, stored, { tier, id: stored.mediaId }, event);
      }
      contents.set(number, content.toString());
    }
    return contents;
  }

  async function runFated(
    deps: LettingDeps,
    contactCenter: ContactCenter,
    work: (typeof WORKS)[number],
    fates: readonly Fate[],
  ): Promise<void> {
    let at = 0;
    const next = () => fates[at++ % fates.length] ?? { turns: 0, end: 'well' as const };
    let die = () => {};
    const death = new Promise<void>((resolve) => {
      die = resolve;
    });
    const life = {
      dead: false,
      die: () => {
        life.dead = true;
        die();
      },
    };
    const wrapped: LettingDeps = {
      ...deps,
      store: fated(deps.store, next, life),
      places: {
        main: fated(deps.places.main, next, life),
        archive: deps.places.archive === null ? null : fated(deps.places.archive, next, life),
      },
    };
    const working = (async () => {
      for (let times = 0; times < 3; times += 1) {
        await workOn(wrapped, contactCenter, work).catch((error: unknown) => {
          if (!(error instanceof Failure)) throw error;
        });
      }
    })();
    await Promise.race([working, death]);
  }

  async function workOn(
    deps: LettingDeps,
    contactCenter: ContactCenter,
    work: (typeof WORKS)[number],
  ): Promise<unknown> {
    switch (work) {
      case 'archive':
        return archive(deps, contactCenter, pace);
      case 'restore': {
        const all = await deps.store.byNumbers(contactCenter, 0, 100);
        return Promise.all(
          all.map(({ recording }) => moveRecording(deps, contactCenter, recording, 'main', pace.actor)),
        );
      }
      case 'call off':
        return callOffMoves(deps, contactCenter, -1, pace);
      case 'leftovers':
        return removeAllLeftovers(deps, contactCenter, pace);
      case 'purge':
        return purge(deps, contactCenter, pace);
      case 'sweep':
        return sweep(deps, contactCenter, ALL, pace, () => {});
      case 'hold': {
        const event = (): AuditEvent => eventOf('recording.changed', 1);
        await center.store.recordings.change(contactCenter, 1, { legalHold: true }, event);
        held.add(contactCenter.id);
        return;
      }
    }
  }

  /** Sweeps twice: what the first finds is mended, and the second finds nothing. */
  async function recover(deps: LettingDeps, contactCenter: ContactCenter, seen: Set<string>): Promise<void> {
    const found: SweepFinding[] = [];
    await sweep(deps, contactCenter, ALL, pace, (finding) => found.push(finding));
    for (const { kind } of found) seen.add(kind);
    assert.deepEqual(
      found.filter(({ isMended }) => !isMended),
      [],
    );
    const again: SweepFinding[] = [];
    await sweep(deps, contactCenter, ALL, pace, (finding) => again.push(finding));
    assert.deepEqual(again, []);
  }
});

import { createHash } from 'node:crypto';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { LettingDeps, Pace } from '../../src/recordings/letting.ts';
import type { NewRecording, Recording } from '../../src/recordings/recording.ts';
import type { Store } from '../../src/store/open.ts';
import { addUsers, person } from '../contract/people.ts';
import { eventOf, said } from '../contract/recordings-contract.ts';
import { type Center, NOW } from './center.ts';
import { createMemoryPlace, type MemoryPlace } from './memory-place.ts';

export const DAY = 86_400_000;

/** A contact center with places in memory, in which recordings can be made of any age and whereabouts. */
export interface LettingWorld {
  readonly store: Store;
  readonly contactCenter: ContactCenter;
  readonly main: MemoryPlace;
  readonly archive: MemoryPlace;
  readonly deps: LettingDeps;
  /** A recording with audio of its own that began so many days before NOW. */
  add(daysAgo: number, changes?: Partial<NewRecording>): Promise<Recording>;
  find(number: number): Promise<Recording>;
  set(key: string, value: string): Promise<void>;
  /** Numbers of the recordings that are in a state. */
  numbers(state: Recording['state']): Promise<number[]>;
  actions(): Promise<string[]>;
}

let made = 0;

/** Makes a contact center of its own in the store of a group of tests. */
export async function makeLettingWorld(center: Center): Promise<LettingWorld> {
  const { store } = center;
  made += 1;
  let contactCenter = await store.access.createContactCenter(`letting-${made}`, 'UTC', NOW);
  await addUsers(store, contactCenter, [person(1, { dialectNumbers: {} })]);
  const [main, archive] = [createMemoryPlace(() => NOW - DAY), createMemoryPlace(() => NOW - DAY)];
  const all = async () => store.letting.byNumbers(contactCenter, 0, 1000);
  return {
    store,
    get contactCenter() {
      return contactCenter;
    },
    main,
    archive,
    deps: { store: store.letting, places: { main, archive }, now: () => NOW, newId: center.newId },
    async add(daysAgo, changes = {}) {
      const startedAt = NOW - daysAgo * DAY;
      const id = center.newId();
      const given = said({ startedAt, leadId: 7, callId: 'call', remoteNumber: '+15550100', ...changes });
      const reserved = await store.recordings.reserve(contactCenter, given, { id, now: NOW });
      const { recording } = reserved;
      const content = Buffer.from(`audio ${id}`);
      const sha256 = createHash('sha256').update(content).digest('hex');
      main.audio.set(id, { content, modifiedAt: NOW - DAY });
      const facts = { mediaType: 'audio/wav', bytes: content.length, sha256, seconds: 1 } as const;
      const event = eventOf('recording.added', recording.number);
      return store.recordings.complete(contactCenter, recording, { ...facts, endedAt: null }, event);
    },
    async find(number) {
      const found = await store.recordings.find(contactCenter, number);
      if (found === null) throw new Error(`there is no recording ${number}`);
      return found;
    },
    async set(key, value) {
      await store.access.setSetting(contactCenter, key, value);
      contactCenter = (await store.access.findContactCenter(contactCenter.name)) ?? contactCenter;
    },
    numbers: async (state) =>
      (await all()).flatMap(({ recording }) => (recording.state === state ? [recording.number] : [])),
    actions: async () => {
      const events = await store.audit.page(contactCenter, 0, 1000);
      return events.map(({ action, subject }) => `${action} ${subject}`);
    },
  };
}

/** A pace that does not wait, in small batches. */
export const PACE: Pace = {
  actor: { kind: 'job' },
  batch: 3,
  pause: () => new Promise(setImmediate),
  onProgress: () => {},
  signal: new AbortController().signal,
};

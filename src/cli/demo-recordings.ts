import { Readable } from 'node:stream';
import type { ContactCenter } from '../access/contact-center.ts';
import { SURROUNDINGS } from '../app.ts';
import { DEMO_DAYS, demoAudio, demoCall, demoStarts } from '../recordings/demo.ts';
import type { MediaPlace } from '../recordings/media.ts';
import type { Store } from '../store/open.ts';

const DAY = 86_400_000;
/** Users who make the calls: the first of the contact center. */
const CALLERS = 1000;
/** Recordings that are made at once: what the store keeps of them comes in one transaction. */
const AT_ONCE = 64;

/** How many recordings a contact center has that were not let go; of calls since an instant, if one is given. */
export async function countRecordings(
  store: Store,
  contactCenter: ContactCenter,
  since: { readonly from?: number } = {},
): Promise<number> {
  // Totals are kept as long as nothing is written: the contact center is to be as it is now.
  const now = (await store.access.findContactCenter(contactCenter.name)) ?? contactCenter;
  const { total } = await store.recordings.page(now, { ...since, limit: 1, count: 'exact' });
  return total ?? 0;
}

async function makeRecording(
  store: Store,
  main: MediaPlace,
  contactCenter: ContactCenter,
  call: number,
  facts: Parameters<typeof demoCall>[1],
): Promise<void> {
  const made = { id: SURROUNDINGS.newId(), now: SURROUNDINGS.now() };
  const { recording } = await store.recordings.reserve(contactCenter, demoCall(call, facts), made);
  const { number, mediaId, seconds, endedAt } = recording;
  const kept = await main.put(
    { contactCenterId: contactCenter.id, id: mediaId },
    Readable.from([demoAudio(call)]),
  );
  const media = { ...kept, mediaType: 'audio/wav', seconds, endedAt } as const;
  await store.recordings.complete(contactCenter, recording, media, {
    at: SURROUNDINGS.now(),
    actor: { kind: 'cli' },
    action: 'recording.added',
    subject: String(number),
    outcome: 'done',
    details: { bytes: kept.bytes },
  });
}

/**
 * Generates calls with audio until there are so many of the last DEMO_DAYS days; those that are there stay
 * as they are.
 */
export async function fillRecordings(
  store: Store,
  main: MediaPlace,
  contactCenter: ContactCenter,
  wanted: number,
  onProgress: (there: number) => void = () => {},
  now = SURROUNDINGS.now(),
): Promise<void> {
  const there = await countRecordings(store, contactCenter, { from: now - DEMO_DAYS * DAY });
  const callers = await store.pages.pageByNumber(contactCenter, 0, CALLERS);
  const userNumbers = callers.map(({ number }) => number);
  const starts = demoStarts(Math.max(0, wanted - there), now);
  const leads = Math.ceil(wanted / 3);
  const queue = starts.entries();
  let made = there;
  const work = async () => {
    for (const [at, startedAt] of queue) {
      await makeRecording(store, main, contactCenter, there + at + 1, { startedAt, userNumbers, leads });
      made += 1;
      onProgress(made);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

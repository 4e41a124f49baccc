import { type ContactCenter, settingOf } from '../access/contact-center.ts';
import { openRollcallStore, SURROUNDINGS } from '../app.ts';
import type { ServeConfig } from '../config/serve.ts';
import type { SampleFacts } from '../http/dialect.ts';
import { closeMediaPlaces, openMediaPlaces } from '../media/open.ts';
import { expiryOf, signLink } from '../recordings/links.ts';
import { isPastRetention } from '../recordings/retention.ts';
import { LINK_SECONDS } from '../recordings/settings.ts';
import type { Store } from '../store/open.ts';
import { placeOf } from './context.ts';
import { createDemoToken, needDemo } from './demo.ts';

/** What the banner shows of `demo`. */
export interface DemoFacts {
  readonly token: string;
  readonly facts: SampleFacts;
}

/** Brings the store up to date, and makes `demo` where it is wanted; null where it is not. */
export async function prepareStore(config: ServeConfig): Promise<DemoFacts | null> {
  const store = await openRollcallStore(placeOf(config), 32);
  try {
    return config.demo ? await prepareDemo(store, config) : null;
  } finally {
    await store.close();
  }
}

async function prepareDemo(store: Store, config: ServeConfig): Promise<DemoFacts> {
  const places = await openMediaPlaces(config.media);
  try {
    const contactCenter = await needDemo(store, places.main);
    const { users } = await store.pages.page(contactCenter, {
      dialect: 'voiso',
      match: { kind: 'everyone' },
      limit: 20,
      count: 'none',
      fields: ['email', 'extensions'],
    });
    const shown = users.find((user) => user.email !== null && user.extensions.length > 0);
    return {
      token: await createDemoToken(store, contactCenter),
      facts: {
        contactCenter,
        email: shown?.email ?? '',
        extension: shown?.extensions[0] ?? '',
        recording: await findSampleRecording(store, contactCenter),
      },
    };
  } finally {
    await closeMediaPlaces(places);
  }
}

/** A recording that can be played, with a link made by hand. */
async function findSampleRecording(
  store: Store,
  contactCenter: ContactCenter,
): Promise<SampleFacts['recording']> {
  const now = SURROUNDINGS.now();
  const query = { states: ['stored'], minSeconds: 1, limit: 100, count: 'none' } as const;
  const { recordings } = await store.recordings.page(contactCenter, query);
  for (const recording of recordings) {
    if (isPastRetention(contactCenter, recording, now)) continue;
    const [user] = await store.pages.pageByNumber(contactCenter, (recording.userNumber ?? 0) - 1, 1);
    if (user?.email == null) continue;
    const link = {
      contactCenterId: contactCenter.id,
      number: recording.number,
      expiresAt: expiryOf(now, settingOf(contactCenter, LINK_SECONDS)),
      revocations: recording.revocations,
      tokenId: null,
      disposition: 'attachment',
    } as const;
    const key = await store.signingKeys.current(contactCenter, now);
    return { email: user.email, leadId: recording.leadId, link: signLink(link, key) };
  }
  return null;
}

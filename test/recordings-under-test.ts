import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { ContactCenter } from '../src/access/contact-center.ts';
import type { App } from '../src/app.ts';
import { type Disposition, expiryOf, type Link, signLink } from '../src/recordings/links.ts';
import type { MediaType, NewRecording, Recording } from '../src/recordings/recording.ts';

/** What is said of a call where a test does not care. */
const CALL: NewRecording = {
  userNumber: 1,
  leadId: null,
  callId: null,
  direction: 'outbound',
  remoteNumber: '+4930901820',
  startedAt: Date.UTC(2026, 2, 3, 14, 30),
  endedAt: null,
  seconds: 300,
  keepUntil: null,
  legalHold: false,
};

/** Announces a recording whose audio does not come. */
export async function announce(
  app: Pick<App, 'store'>,
  contactCenter: ContactCenter,
  call: Partial<NewRecording> = {},
): Promise<Recording> {
  const made = { id: randomUUID(), now: CALL.startedAt };
  return (await app.store.recordings.reserve(contactCenter, { ...CALL, ...call }, made)).recording;
}

/** Keeps a recording with audio, as taking in does. */
export async function record(
  app: Pick<App, 'store' | 'places'>,
  contactCenter: ContactCenter,
  call: Partial<NewRecording> & { readonly mediaType?: MediaType; readonly audio?: Buffer } = {},
): Promise<Recording> {
  const { mediaType = 'audio/wav', audio = Buffer.from('RIFF audio'), ...rest } = call;
  const pending = await announce(app, contactCenter, rest);
  const kept = await app.places.main.put(
    { contactCenterId: contactCenter.id, id: pending.mediaId },
    Readable.from([audio]),
  );
  const { seconds, endedAt, startedAt } = pending;
  return app.store.recordings.complete(
    contactCenter,
    pending,
    { ...kept, mediaType, seconds, endedAt },
    {
      at: startedAt,
      actor: { kind: 'cli' },
      action: 'recording.added',
      subject: String(pending.number),
      outcome: 'done',
      details: {},
    },
  );
}

/** Makes a recording a tombstone. */
export async function purge(
  app: Pick<App, 'store'>,
  contactCenter: ContactCenter,
  number: number,
): Promise<void> {
  const event = { actor: { kind: 'cli' }, action: 'recording.purged', outcome: 'done' } as const;
  await app.store.recordings.purge(contactCenter, number, {
    ...event,
    at: 0,
    subject: String(number),
    details: {},
  });
}

/** The path and query of a link to a recording, as answers have it, or with something else in it. */
export async function linkTo(
  app: Pick<App, 'store'>,
  contactCenter: ContactCenter,
  recording: Pick<Recording, 'number' | 'revocations'>,
  change: Partial<Link> & { readonly disposition?: Disposition } = {},
): Promise<string> {
  const now = Date.now();
  const key = await app.store.signingKeys.current(contactCenter, now);
  return signLink(
    {
      contactCenterId: contactCenter.id,
      number: recording.number,
      revocations: recording.revocations,
      expiresAt: expiryOf(now, 3600),
      tokenId: null,
      disposition: 'inline',
      ...change,
    },
    key,
  );
}

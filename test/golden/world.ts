import { createReadStream, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { hashSecret } from '../../src/access/token.ts';
import { type App, SURROUNDINGS } from '../../src/app.ts';
import { expiryOf, signLink } from '../../src/recordings/links.ts';
import type { StorePlace } from '../../src/store/open.ts';
import { loadUsers, makeTokens, openAppUnderTest, TOKEN_KINDS, type TokenKind } from '../app-under-test.ts';
import { announce, purge, record } from '../recordings-under-test.ts';

const GIVEN = join(import.meta.dirname, 'given');

/** A call as given/calls.json has it. Instants are ISO 8601. */
interface GivenCall {
  readonly user: number;
  readonly lead?: number;
  readonly start: string;
  readonly end?: string;
  readonly seconds?: number;
  readonly state?: 'pending' | 'purged';
}

/** Calls by contact center, in the order in which they are taken in: their numbers count from 1. */
const CALLS: Readonly<Record<string, readonly GivenCall[]>> = JSON.parse(
  readFileSync(join(GIVEN, 'calls.json'), 'utf8'),
);

async function keepCall(app: App, contactCenter: ContactCenter, call: GivenCall): Promise<void> {
  const { user, lead = null, start, end, seconds = null, state } = call;
  const said = {
    userNumber: user,
    leadId: lead,
    startedAt: Date.parse(start),
    endedAt: end === undefined ? null : Date.parse(end),
    seconds,
  };
  if (state === 'pending') await announce(app, contactCenter, said);
  else {
    const { number } = await record(app, contactCenter, said);
    if (state === 'purged') await purge(app, contactCenter, number);
  }
}

/** Contact centers, the files that are loaded into each one after the other, and what is set. */
const CONTACT_CENTERS: Readonly<
  Record<string, { timezone: string; files: readonly string[]; settings?: Readonly<Record<string, string>> }>
> = {
  people: { timezone: 'America/New_York', files: ['people.jsonl'] },
  empty: { timezone: 'UTC', files: [] },
  'convoso-official-sample': { timezone: 'America/Los_Angeles', files: ['convoso-official.json'] },
  'convoso-community-sample': { timezone: 'America/Denver', files: ['convoso-community.json'] },
  'voiso-sample': { timezone: 'Europe/Istanbul', files: ['voiso.json'] },
  'smartflo-sample': { timezone: 'Asia/Kolkata', files: ['smartflo.json'] },
  merged: { timezone: 'UTC', files: ['merged-convoso.json', 'merged-voiso.json', 'merged-smartflo.json'] },
  busy: { timezone: 'UTC', files: ['people.jsonl'] },
  'official-only': {
    timezone: 'America/New_York',
    files: ['people.jsonl'],
    settings: { 'convoso.profile': 'official' },
  },
  'community-only': {
    timezone: 'America/New_York',
    files: ['people.jsonl'],
    settings: { 'convoso.profile': 'community' },
  },
  'user-optional': {
    timezone: 'America/New_York',
    files: ['people.jsonl'],
    settings: { 'convoso.userRequired': 'false' },
  },
  'official-optional': {
    timezone: 'America/New_York',
    files: ['people.jsonl'],
    settings: { 'convoso.userRequired': 'false', 'convoso.profile': 'official' },
  },
};

const named = ({ data, databaseUrl }: StorePlace) => ({
  data,
  ...(databaseUrl === undefined ? {} : { databaseUrl }),
});

/** Servers over one store, with tokens of every kind for each contact center. */
export interface World {
  readonly address: string;
  /** Takes one request per second and token. */
  readonly limitedAddress: string;
  /** The secret of a contact center's token of that kind. */
  secret(contactCenter: string, name: string): string;
  /** The link that an answer to a contact center's good token has now. */
  link(contactCenter: string, number: number, base: string): Promise<string>;
  close(): Promise<void>;
}

/** Moves a store once it is filled. Gives the place of the new one, whose audio is in the same data folder. */
export type Move = (from: StorePlace) => Promise<StorePlace>;

type Secrets = ReadonlyMap<string, Readonly<Record<TokenKind, string>>>;

/** Fills a store with what every golden case is asked of. */
async function fill(app: App): Promise<Secrets> {
  const secrets = new Map<string, Readonly<Record<TokenKind, string>>>();
  for (const [name, { timezone, files, settings = {} }] of Object.entries(CONTACT_CENTERS)) {
    const contactCenter = await app.store.access.createContactCenter(name, timezone, SURROUNDINGS.now());
    for (const file of files) await loadUsers(app, contactCenter, createReadStream(join(GIVEN, file)));
    // The calls are of a fixed time, and are to be listed whenever the cases are asked.
    const kept = { 'recordings.retentionDays': '36500', ...settings };
    for (const [key, value] of Object.entries(kept)) {
      await app.store.access.setSetting(contactCenter, key, value);
    }
    for (const call of CALLS[name] ?? []) await keepCall(app, contactCenter, call);
    secrets.set(name, await makeTokens(app, contactCenter));
  }
  return secrets;
}

/**
 * Makes the world that every golden case is asked of.
 * @param databaseUrl a database in place of a file
 * @param move where it is to be asked in another store than the one it was made in
 */
export async function makeWorld(databaseUrl?: string, move?: Move): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), 'rollcall-golden-'));
  let place: StorePlace = { data, databaseUrl };
  const made = await openAppUnderTest(named(place));
  const secrets = await fill(made.app);
  if (move !== undefined) {
    await made.close();
    place = await move(place);
  }
  const { app, close } = move === undefined ? made : await openAppUnderTest(named(place));
  const limited = await openAppUnderTest({ ...named(place), rateLimit: 1 });
  const secretOf = (contactCenter: string, name: string): string => {
    const kind = TOKEN_KINDS.find((each) => each === name);
    const secret = kind === undefined ? undefined : secrets.get(contactCenter)?.[kind];
    if (secret === undefined) throw new Error(`there is no token ${name} of ${contactCenter}`);
    return secret;
  };
  return {
    address: await app.server.listen({ host: '127.0.0.1', port: 0 }),
    limitedAddress: await limited.app.server.listen({ host: '127.0.0.1', port: 0 }),
    secret: secretOf,
    async link(name, number, base) {
      const { access, recordings, signingKeys } = app.store;
      const found = await access.findToken(hashSecret(secretOf(name, 'good')));
      if (found === null) throw new Error('the token is gone');
      const { contactCenter, token } = found;
      const now = SURROUNDINGS.now();
      const recording = await recordings.find(contactCenter, number);
      const link = {
        contactCenterId: contactCenter.id,
        number,
        expiresAt: expiryOf(now, 3600),
        revocations: recording?.revocations ?? 0,
        tokenId: token.id,
        disposition: 'inline',
      } as const;
      return base + signLink(link, await signingKeys.current(contactCenter, now));
    },
    async close() {
      await limited.close();
      await close();
      await rm(data, { recursive: true });
    },
  };
}

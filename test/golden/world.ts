import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { SURROUNDINGS } from '../../src/app.ts';
import { loadUsers, makeTokens, openAppUnderTest, TOKEN_KINDS, type TokenKind } from '../app-under-test.ts';

const GIVEN = join(import.meta.dirname, 'given');

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

/** Servers over one store, with tokens of every kind for each contact center. */
export interface World {
  readonly address: string;
  /** Takes one request per second and token. */
  readonly limitedAddress: string;
  /** The secret of a contact center's token of that kind. */
  secret(contactCenter: string, name: string): string;
  close(): Promise<void>;
}

/** Makes the world that every golden case is asked of. */
export async function makeWorld(): Promise<World> {
  const { app, data, close } = await openAppUnderTest();
  const limited = await openAppUnderTest({ data, rateLimit: 1 });
  const secrets = new Map<string, Readonly<Record<TokenKind, string>>>();
  for (const [name, { timezone, files, settings = {} }] of Object.entries(CONTACT_CENTERS)) {
    const contactCenter = await app.store.access.createContactCenter(name, timezone, SURROUNDINGS.now());
    for (const file of files) await loadUsers(app, contactCenter, createReadStream(join(GIVEN, file)));
    for (const [key, value] of Object.entries(settings)) {
      await app.store.access.setSetting(contactCenter, key, value);
    }
    secrets.set(name, await makeTokens(app, contactCenter));
  }
  return {
    address: await app.server.listen({ host: '127.0.0.1', port: 0 }),
    limitedAddress: await limited.app.server.listen({ host: '127.0.0.1', port: 0 }),
    secret(contactCenter, name) {
      const kind = TOKEN_KINDS.find((each) => each === name);
      const secret = kind === undefined ? undefined : secrets.get(contactCenter)?.[kind];
      if (secret === undefined) throw new Error(`there is no token ${name} of ${contactCenter}`);
      return secret;
    },
    async close() {
      await limited.close();
      await close();
    },
  };
}

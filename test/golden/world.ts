import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import { mintSecret, SCOPES, type Scope } from '../../src/access/token.ts';
import { createToken } from '../../src/access/tokens.ts';
import { type App, createApp, DIALECTS, FORMATS, SURROUNDINGS } from '../../src/app.ts';
import { importUsers } from '../../src/directory/import.ts';
import { readSource } from '../../src/directory/source/rows.ts';
import { Failure } from '../../src/errors.ts';

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
  /** A token's secret: kinds are good, recordings-only, voiso-only, other-dialects, expired, revoked, unknown, mistyped. */
  secret(contactCenter: string, kind: string): string;
  close(): Promise<void>;
}

/** Loads a file as the command `import --format auto` does; every row must be taken. */
async function load(app: App, contactCenter: ContactCenter, file: string): Promise<void> {
  const source = await readSource(createReadStream(join(GIVEN, file)), { columns: {} });
  await importUsers(app.store.writer, source.rows, {
    contactCenter,
    formatOf: (first) => {
      const format = FORMATS.find((each) => each.recognises(first));
      if (format === undefined) throw new Error(`${file} looks like no format`);
      return format;
    },
    dialects: DIALECTS.map((dialect) => dialect.name),
    now: SURROUNDINGS.now,
    newId: SURROUNDINGS.newId,
    dryRun: false,
    onRefused: ({ row, reason }) => {
      throw new Failure('invalid', `${file} line ${row.line}: ${reason}`);
    },
    onProgress: () => {},
  });
}

const DAY = 86_400_000;

async function makeTokens(app: App, contactCenter: ContactCenter): Promise<Map<string, string>> {
  const make = async (kind: {
    scopes?: readonly Scope[];
    dialects?: readonly string[];
    age?: number;
    expiresIn?: number;
  }) => {
    const surroundings = { now: () => SURROUNDINGS.now() - (kind.age ?? 0), newId: SURROUNDINGS.newId };
    return createToken(app.store.access, surroundings, {
      contactCenter,
      label: 'golden',
      scopes: kind.scopes ?? SCOPES,
      dialects: kind.dialects ?? null,
      expiresIn: kind.expiresIn ?? null,
    });
  };
  const good = await make({});
  const revoked = await make({});
  await app.store.access.revokeToken(revoked.token.id, SURROUNDINGS.now());
  return new Map([
    ['good', good.secret],
    ['revoked', revoked.secret],
    ['expired', (await make({ age: 2 * DAY, expiresIn: DAY })).secret],
    ['recordings-only', (await make({ scopes: ['recordings:read'] })).secret],
    ['voiso-only', (await make({ dialects: ['voiso'] })).secret],
    ['other-dialects', (await make({ dialects: ['convoso', 'smartflo'] })).secret],
    ['unknown', mintSecret()],
    ['mistyped', `${good.secret.slice(0, -1)}${good.secret.endsWith('0') ? '1' : '0'}`],
  ]);
}

/** Makes the world that every golden case is asked of. */
export async function makeWorld(): Promise<World> {
  const data = await mkdtemp(join(tmpdir(), 'rollcall-golden-'));
  const config = {
    data,
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    tls: null,
    rateLimit: null,
    trustProxy: null,
    demo: false,
  };
  const log = pino({ level: 'silent' });
  const app = await createApp(config, log);
  const limited = await createApp({ ...config, rateLimit: 1 }, log);
  const secrets = new Map<string, Map<string, string>>();
  for (const [name, { timezone, files, settings = {} }] of Object.entries(CONTACT_CENTERS)) {
    const contactCenter = await app.store.access.createContactCenter(name, timezone, SURROUNDINGS.now());
    for (const file of files) await load(app, contactCenter, file);
    for (const [key, value] of Object.entries(settings)) {
      await app.store.access.setSetting(contactCenter, key, value);
    }
    secrets.set(name, await makeTokens(app, contactCenter));
  }
  return {
    address: await app.server.listen({ host: config.host, port: 0 }),
    limitedAddress: await limited.server.listen({ host: config.host, port: 0 }),
    secret(contactCenter, kind) {
      const secret = secrets.get(contactCenter)?.get(kind);
      if (secret === undefined) throw new Error(`there is no token ${kind} of ${contactCenter}`);
      return secret;
    },
    async close() {
      await app.close();
      await limited.close();
      await rm(data, { recursive: true });
    },
  };
}

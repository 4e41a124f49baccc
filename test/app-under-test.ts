import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import pino, { type Logger } from 'pino';
import type { ContactCenter } from '../src/access/contact-center.ts';
import { mintSecret, SCOPES, type Scope } from '../src/access/token.ts';
import { createToken } from '../src/access/tokens.ts';
import { type App, createApp, DIALECTS, FORMATS, SURROUNDINGS } from '../src/app.ts';
import { readMediaConfig } from '../src/config/media.ts';
import { importUsers } from '../src/directory/import.ts';
import { readSource } from '../src/directory/source/rows.ts';
import type { JsonObject } from '../src/directory/user.ts';
import { Failure } from '../src/errors.ts';

/** The whole server over a store in a folder of its own. */
export interface AppUnderTest {
  readonly app: App;
  readonly data: string;
  /** Stops it, and removes the folder where it made it. */
  close(): Promise<void>;
}

/** Puts the whole server together as `serve` does; it does not listen yet. */
export async function openAppUnderTest(
  options: {
    readonly data?: string;
    readonly databaseUrl?: string;
    readonly rateLimit?: number;
    readonly redisUrl?: string;
    readonly publicUrl?: string;
    readonly mostUpload?: number;
    readonly log?: Logger;
  } = {},
): Promise<AppUnderTest> {
  const data = options.data ?? (await mkdtemp(join(tmpdir(), 'rollcall-test-')));
  const app = await createApp(
    {
      data,
      ...(options.databaseUrl === undefined ? {} : { databaseUrl: options.databaseUrl }),
      media: readMediaConfig({ data, archiveMedia: join(data, 'archive') }),
      host: '127.0.0.1',
      port: 0,
      workers: 1,
      tls: null,
      rateLimit: options.rateLimit ?? null,
      redis: options.redisUrl === undefined ? null : { url: options.redisUrl, shown: 'a Redis under test' },
      trustProxy: null,
      publicUrl: options.publicUrl ?? null,
      mostUpload: options.mostUpload ?? 2 ** 31,
      demo: false,
    },
    options.log ?? pino({ level: 'silent' }),
  );
  return {
    app,
    data,
    async close() {
      await app.close();
      if (options.data === undefined) await rm(data, { recursive: true });
    },
  };
}

/** Loads a file's bytes as the command `import --format auto` does; every row must be taken. */
export async function loadUsers(
  app: Pick<App, 'store'>,
  contactCenter: ContactCenter,
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  const source = await readSource(chunks, { columns: {} });
  await importUsers(app.store.writer, source.rows, {
    contactCenter,
    formatOf: (first) => {
      const format = FORMATS.find((each) => each.recognises(first));
      if (format === undefined) throw new Error('the file looks like no format');
      return format;
    },
    dialects: DIALECTS.map((dialect) => dialect.name),
    now: SURROUNDINGS.now,
    newId: SURROUNDINGS.newId,
    dryRun: false,
    onRefused: ({ row, reason }) => {
      throw new Failure('invalid', `line ${row.line}: ${reason}`);
    },
    onProgress: () => {},
  });
}

/** Loads native rows. */
export function loadRows(
  app: Pick<App, 'store'>,
  contactCenter: ContactCenter,
  rows: readonly JsonObject[],
): Promise<void> {
  const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  return loadUsers(app, contactCenter, Readable.from([Buffer.from(text)]));
}

export const TOKEN_KINDS = [
  'good',
  'revoked',
  'expired',
  'users-only',
  'recordings-only',
  'convoso-only',
  'voiso-only',
  'smartflo-only',
  'rollcall-only',
  'other-dialects',
  'unknown',
  'mistyped',
] as const;
export type TokenKind = (typeof TOKEN_KINDS)[number];

const DAY = 86_400_000;

/** Makes a token of every kind for a contact center. Gives their secrets. */
export async function makeTokens(
  app: App,
  contactCenter: ContactCenter,
): Promise<Readonly<Record<TokenKind, string>>> {
  const make = (kind: {
    readonly scopes?: readonly Scope[];
    readonly dialects?: readonly string[];
    readonly age?: number;
    readonly expiresIn?: number;
  }) =>
    createToken(
      app.store.access,
      { now: () => SURROUNDINGS.now() - (kind.age ?? 0), newId: SURROUNDINGS.newId },
      {
        contactCenter,
        label: 'test',
        scopes: kind.scopes ?? SCOPES,
        dialects: kind.dialects ?? null,
        expiresIn: kind.expiresIn ?? null,
      },
    );
  const good = (await make({})).secret;
  const revoked = await make({});
  await app.store.access.revokeToken(revoked.token.id, SURROUNDINGS.now());
  return {
    good,
    revoked: revoked.secret,
    expired: (await make({ age: 2 * DAY, expiresIn: DAY })).secret,
    'users-only': (await make({ scopes: ['users:read'] })).secret,
    'recordings-only': (await make({ scopes: ['recordings:read'] })).secret,
    'convoso-only': (await make({ dialects: ['convoso'] })).secret,
    'voiso-only': (await make({ dialects: ['voiso'] })).secret,
    'smartflo-only': (await make({ dialects: ['smartflo'] })).secret,
    'rollcall-only': (await make({ dialects: ['rollcall'] })).secret,
    'other-dialects': (await make({ dialects: ['convoso', 'smartflo'] })).secret,
    unknown: mintSecret(),
    mistyped: `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`,
  };
}

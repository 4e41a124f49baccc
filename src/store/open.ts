import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AccessStore, AuditStore } from '../access/ports.ts';
import type { UserPages, UserWriter } from '../directory/ports.ts';
import type { DialectIndex } from '../directory/query.ts';
import { Failure } from '../errors.ts';
import type { LettingStore } from '../recordings/letting.ts';
import type { LinkedRecordings, RecordingStore, SigningKeys } from '../recordings/ports.ts';
import { createAccessStore } from './access.ts';
import { createAddEvents, createAuditStore } from './audit.ts';
import type { Engine, Observe } from './engine.ts';
import { createImportCounts, type ImportTotals } from './import-counts.ts';
import { type Finding, inspectStore } from './inspect.ts';
import { createLinkedRecordings } from './linked.ts';
import { migrate } from './migrations/index.ts';
import { createRecordingStores } from './recordings/index.ts';
import { createSigningKeys } from './signing-keys.ts';
import { SqliteEngine } from './sqlite/engine.ts';
import { pinStatistics } from './sqlite/statistics.ts';
import { createBuilder, Statements } from './statements.ts';
import { createNumberCounts } from './users/counts.ts';
import { fillDialects } from './users/fill.ts';
import { createKnownUsers } from './users/known.ts';
import { createTeamNames, createUserPages } from './users/pages.ts';
import { createUserReading } from './users/reading.ts';
import { createUserWriter } from './users/write.ts';

export interface StoreOptions {
  /** The folder that holds everything. */
  readonly data: string;
  readonly dialects: readonly DialectIndex[];
  readonly now: () => number;
  /** Page cache in MiB: small where memory should stay flat, large where many rows are written. */
  readonly cacheMiB: number;
  readonly observe?: Observe;
}

export interface BulkWriter {
  readonly writer: UserWriter;
  close(): Promise<void>;
}

/** Everything that is kept, behind the domain's ports. */
export interface Store {
  readonly access: AccessStore;
  readonly pages: UserPages;
  readonly writer: UserWriter;
  /** A writer that works in a thread of its own, for loads. It must be closed before the store. */
  openBulkWriter(): BulkWriter;
  readonly signingKeys: SigningKeys;
  readonly recordings: RecordingStore;
  readonly linked: LinkedRecordings;
  readonly letting: LettingStore;
  readonly audit: AuditStore;
  readonly importTotals: ImportTotals;
  /** Looks the store over; reads the whole file. */
  inspect(now: number): Promise<Finding[]>;
  /** Resolves when the store answers. @throws Failure unavailable */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The file that holds everything, in a data folder. */
export function storePath(data: string): string {
  return join(data, 'rollcall.sqlite');
}

/**
 * Opens the store in a folder, making both where they are missing and bringing the schema up to date.
 * @throws Failure with one line that names the mend
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  makeFolder(options.data);
  const engine = new SqliteEngine({
    path: storePath(options.data),
    cacheMiB: options.cacheMiB,
    busyTimeout: 30_000,
    ...(options.observe === undefined ? {} : { observe: options.observe }),
  });
  try {
    await migrate(engine, 'sqlite', options.now());
    await pinStatistics(engine);
    const statements = new Statements(createBuilder('sqlite'));
    const counts = createNumberCounts(statements);
    const teamNames = createTeamNames(statements);
    const known = createKnownUsers(statements, teamNames);
    await fillDialects(engine, statements, counts, known, options.dialects);
    const reading = createUserReading(statements, known);
    const writerOn = (transactions: Pick<Engine, 'transaction'>) =>
      createUserWriter({ engine, transactions, statements, counts, reading, dialects: options.dialects });
    const addEvents = createAddEvents(statements);
    const access = createAccessStore(engine, statements, addEvents);
    const audit = createAuditStore(engine, statements, addEvents);
    const signingKeys = createSigningKeys(engine, statements, addEvents);
    const { recordings, letting } = createRecordingStores(engine, statements, addEvents);
    return {
      access,
      pages: createUserPages(engine, statements, counts, known, teamNames),
      writer: writerOn(engine),
      openBulkWriter: () => {
        const thread = engine.openThread();
        return { writer: writerOn(thread), close: () => thread.close() };
      },
      signingKeys,
      recordings,
      letting,
      linked: createLinkedRecordings(engine, access, recordings, signingKeys),
      audit,
      importTotals: createImportCounts(engine, statements),
      inspect: (now) => inspectStore(engine, storePath(options.data), now),
      ping: async () => {
        await access.findContactCenter('');
      },
      async close() {
        try {
          await audit.close();
        } finally {
          await engine.close();
        }
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** People's data: the folder is for its owner alone. */
function makeFolder(data: string): void {
  try {
    // One by one: Node's own way of making all of them never ends where a parent takes no folders, as /proc.
    const missing: string[] = [];
    for (let path = resolve(data); !existsSync(path); path = dirname(path)) missing.unshift(path);
    for (const path of missing) {
      try {
        mkdirSync(path, { mode: 0o700 });
      } catch (error) {
        // Another process may be starting on the same folder.
        if (!existsSync(path)) throw error;
      }
    }
    if (missing.length > 0) chmodSync(data, 0o700);
  } catch (error) {
    throw new Failure(
      'unavailable',
      `cannot make the folder ${data}; give one that can be written with --data`,
      {
        cause: error,
      },
    );
  }
}

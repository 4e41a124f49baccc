import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { AccessStore, AuditStore, EngineFigures } from '../access/ports.ts';
import type { UserPages, UserWriter } from '../directory/ports.ts';
import type { DialectIndex } from '../directory/query.ts';
import { Failure } from '../errors.ts';
import type { LettingStore } from '../recordings/letting.ts';
import type { Lease, LinkedRecordings, RecordingStore, SigningKeys } from '../recordings/ports.ts';
import { createAccessStore } from './access.ts';
import { createAddEvents, createAuditStore } from './audit.ts';
import type { Engine, Observe, Statement } from './engine.ts';
import { createImportCounts, type ImportTotals } from './import-counts.ts';
import { type Finding, inspectStore } from './inspect.ts';
import { createLinkedRecordings } from './linked.ts';
import { migrate } from './migrations/index.ts';
import { inspectDatabase } from './postgres/inspect.ts';
import { COMMAND_LIMITS, connectionsNeeded, readPostgresUrl, SERVE_LIMITS } from './postgres/place.ts';
import type { Replica } from './postgres/replica.ts';
import { pinStatistics as pinDatabaseStatistics } from './postgres/statistics.ts';
import { addFigures, preferReplicaForRecordings, preferReplicaForUsers } from './prefer-replica.ts';
import { createRecordingReads, createRecordingStores } from './recordings/index.ts';
import { createSigningKeys } from './signing-keys.ts';
import { SqliteEngine } from './sqlite/engine.ts';
import { createSqliteFigures } from './sqlite/figures.ts';
import { pinStatistics } from './sqlite/statistics.ts';
import { type Flavor, Statements } from './statements.ts';
import { createNumberCounts } from './users/counts.ts';
import { fillDialects } from './users/fill.ts';
import { createKnownUsers } from './users/known.ts';
import { createKeptNames, createReadNames } from './users/names.ts';
import { createUserPages } from './users/pages.ts';
import { createUserReading } from './users/reading.ts';
import { createUserWriter } from './users/write.ts';
import { createWipe } from './wipe.ts';
import { type WipingWriter, type Writer, writeApart } from './write-apart.ts';

/** Where a store is. */
export interface StorePlace {
  /** The folder that holds everything, or what the database does not. */
  readonly data: string;
  /** The URL of a PostgreSQL database in place of the file in the folder. Holds a password: never told. */
  readonly databaseUrl?: string | undefined;
  /** A standby of that database, for searches and exports. */
  readonly replica?: ReplicaPlace | undefined;
}

export interface ReplicaPlace {
  /** Holds a password: never told. */
  readonly url: string;
  /** How far behind it may be, in milliseconds. */
  readonly maxLag: number;
}

export interface StoreOptions extends StorePlace {
  readonly dialects: readonly DialectIndex[];
  readonly now: () => number;
  /** Whether requests wait for it, which are better refused than kept waiting. */
  readonly isServing?: boolean;
  /** SQLite's page cache in MiB: small where memory should stay flat, large where many rows are written. */
  readonly cacheMiB: number;
  readonly observe?: Observe;
  /** Told of each statement that is made, whether it is ever run or not. */
  readonly onCompiled?: (statement: Statement) => void;
  /** Told of each migration that was run. */
  readonly onMigrated?: (name: string) => void;
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
  /** What the engine tells of itself. */
  readonly figures: EngineFigures;
  /** What only one of the processes over this store does at a time. It must be released before the store is closed. */
  openLease(name: string): Lease;
  /** Looks the store over, also for a server of so many workers; reads the whole file where it is one. */
  inspect(now: number, workers: number): Promise<Finding[]>;
  /** Resolves when the store answers. @throws Failure unavailable */
  ping(): Promise<void>;
  /** Whether a standby was named that could not be reached when the store was opened. */
  readonly isReplicaAway: boolean;
  close(): Promise<void>;
}

/** What may be told of a database's URL: host, port and name. @throws Failure invalid where it is none */
export function describeDatabase(url: string): string {
  return readPostgresUrl(url).shown;
}

/** The same of a standby's. @throws Failure invalid also where it names more than one server */
export function describeReplica(url: string): string {
  const { shown, hosts } = readPostgresUrl(url);
  if (hosts === null) return shown;
  throw new Failure('invalid', 'the replica URL takes one server, without target_session_attrs');
}

/** What may be told of where a store is: the file, or the database's host, port and name. */
export function describePlace({ data, databaseUrl }: StorePlace): string {
  return databaseUrl === undefined ? storePath(data) : describeDatabase(databaseUrl);
}

/** The file that holds everything, in a data folder. */
export function storePath(data: string): string {
  return join(data, 'rollcall.sqlite');
}

/**
 * Opens the store in a folder or a database, making folder, file and tables where they are missing and
 * bringing the schema up to date.
 * @throws Failure with one line that names the mend
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const opened = await openEngine(options);
  const { engine, flavor, alone, settle, openBulk, openHere, openApart, openLease, inspect, replica } =
    opened;
  try {
    const statements = new Statements(flavor, options.onCompiled);
    const counts = createNumberCounts(statements);
    const known = createKnownUsers(statements, createReadNames(statements));
    await alone(async () => {
      const migrated = await migrate(engine, flavor, options.now());
      for (const { name } of migrated) options.onMigrated?.(name);
      await settle();
      await fillDialects(engine, statements, counts, known, options.dialects);
    });
    const reading = createUserReading(statements, known);
    const writerOn = (transactions: Pick<Engine, 'transaction'>) =>
      createUserWriter({ engine, transactions, statements, counts, reading, dialects: options.dialects });
    const addEvents = createAddEvents(statements);
    const access = createAccessStore(engine, statements, addEvents);
    const apart = options.isServing === true ? writeApart(openApart) : openHere();
    const audit = createAuditStore(engine, apart, statements, addEvents);
    const signingKeys = createSigningKeys(engine, statements, addEvents);
    const stores = createRecordingStores(engine, statements, addEvents);
    const letting = { ...stores.letting, wipe: createWipe(apart) };
    const names = createKeptNames(statements);
    const pagesOn = (reads: Engine) => createUserPages(reads, statements, counts, known, names);
    let pages = pagesOn(engine);
    let { recordings } = stores;
    let isReplicaAway = false;
    if (replica !== null) {
      pages = preferReplicaForUsers(replica, pagesOn(replica.engine), pages);
      const byReplica = createRecordingReads(replica.engine, statements);
      recordings = { ...recordings, ...preferReplicaForRecordings(replica, byReplica, recordings) };
      isReplicaAway = !(await replica.begin());
    }
    return {
      access,
      pages,
      writer: writerOn(engine),
      openBulkWriter: () => {
        const bulk = openBulk();
        return { writer: writerOn(bulk), close: () => bulk.close() };
      },
      signingKeys,
      recordings,
      letting,
      linked: createLinkedRecordings(engine, access, recordings, signingKeys),
      audit,
      importTotals: createImportCounts(engine, statements),
      openLease,
      isReplicaAway,
      figures: replica === null ? opened.figures : addFigures(opened.figures, replica.figures),
      inspect,
      ping: async () => {
        await access.findContactCenter('');
      },
      async close() {
        try {
          await audit.close();
        } finally {
          await replica?.close();
          await engine.close();
        }
      },
    };
  } catch (error) {
    await replica?.close();
    await engine.close();
    throw error;
  }
}

/** Writes as the process's own writing does; whoever opened the engine closes it. */
const writeWith = (engine: Engine): Writer => ({
  transaction: (contactCenters, work) => engine.transaction(contactCenters, work),
  close: async () => {},
});

/** The database's own server cleans up behind itself. */
const wipingNothing = (engine: Engine): WipingWriter => ({ ...writeWith(engine), wipe: async () => true });

/** Opens what keeps a store, as it is; the folder and the file are made where they are missing. */
export async function openEngine(
  options: StorePlace & Pick<StoreOptions, 'isServing' | 'cacheMiB' | 'observe'>,
): Promise<Opened> {
  if (options.databaseUrl === undefined) return openFile(options);
  return openDatabase(options.databaseUrl, options);
}

/** An engine that was opened, and what is done and looked at in its own way. */
export interface Opened {
  readonly engine: Engine;
  readonly flavor: Flavor;
  /** Runs what brings a store up to date, while no other process does. */
  readonly alone: (work: () => Promise<void>) => Promise<void>;
  /** What is done once the tables are there. */
  readonly settle: () => Promise<void>;
  /** Writing transactions of loads, which hold up no others where that can be had. */
  readonly openBulk: () => Writer;
  /** Writing transactions as others of this engine. */
  readonly openHere: () => WipingWriter;
  /** Writing transactions beside others of this engine, which go on meanwhile where they can. */
  readonly openApart: () => WipingWriter;
  readonly openLease: Store['openLease'];
  readonly figures: EngineFigures;
  readonly inspect: Store['inspect'];
  /** What is read in its place, where it can be. It must be closed as well. */
  readonly replica: Replica | null;
}

const NEVER_LOST = new AbortController().signal;

function openFile({
  data,
  cacheMiB,
  observe,
}: StorePlace & Pick<StoreOptions, 'cacheMiB' | 'observe'>): Opened {
  makeFolder(data);
  const path = storePath(data);
  const engine = new SqliteEngine({
    path,
    cacheMiB,
    busyTimeout: 30_000,
    ...(observe === undefined ? {} : { observe }),
  });
  return {
    engine,
    flavor: 'sqlite',
    // Each transaction takes the file for itself.
    alone: (work) => work(),
    settle: () => pinStatistics(engine),
    openBulk: () => engine.openThread(),
    openHere: () => ({ ...writeWith(engine), wipe: () => engine.wipe() }),
    openApart: () => engine.openThreadInTurn(),
    // The first process of a server does what one alone is to do, and a file has one server.
    openLease: () => ({ take: async () => NEVER_LOST, release: async () => {} }),
    figures: createSqliteFigures(engine, path),
    inspect: (now) => inspectStore(engine, path, now),
    replica: null,
  };
}

async function openDatabase(
  url: string,
  { isServing = false, observe, replica }: Pick<StoreOptions, 'isServing' | 'observe' | 'replica'>,
): Promise<Opened> {
  const place = readPostgresUrl(url);
  // Loaded where it is needed: the driver takes a while, and most commands are over in less.
  const [{ PostgresEngine }, { PostgresLease }, { Replica }] = await Promise.all([
    import('./postgres/engine.ts'),
    import('./postgres/lease.ts'),
    import('./postgres/replica.ts'),
  ]);
  const limits = isServing ? SERVE_LIMITS : COMMAND_LIMITS;
  await place.hosts?.find();
  const engine = new PostgresEngine(place, limits, observe);
  return {
    engine,
    flavor: 'postgres',
    alone: (work) => engine.alone(work),
    settle: () => pinDatabaseStatistics(engine),
    // It is another process that writes as it is.
    openBulk: () => writeWith(engine),
    openHere: () => wipingNothing(engine),
    openApart: () => wipingNothing(engine),
    openLease: (name) => new PostgresLease(place, limits, name),
    figures: engine.figures,
    inspect: (now, workers) =>
      inspectDatabase(engine, now, connectionsNeeded(workers), place.session(limits)),
    replica:
      replica === undefined
        ? null
        : new Replica(readPostgresUrl(replica.url, 'any'), limits, engine, replica.maxLag, observe),
  };
}

/** People's data: the folder is for its owner alone. */
export function makeFolder(data: string): void {
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

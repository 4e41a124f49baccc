import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { v7 as uuidV7 } from 'uuid';
import type { SettingDefinition } from './access/contact-center.ts';
import type { Surroundings } from './access/tokens.ts';
import type { ServeConfig } from './config/serve.ts';
import { convoso } from './dialects/convoso/index.ts';
import { rollcall } from './dialects/rollcall/index.ts';
import { smartflo } from './dialects/smartflo/index.ts';
import { voiso } from './dialects/voiso/index.ts';
import type { UserFormat } from './directory/format.ts';
import { native } from './directory/native.ts';
import { Answers } from './http/answers.ts';
import type { Dialect, DialectDeps, WireFormat } from './http/dialect.ts';
import { EncodedUsers } from './http/encoded-users.ts';
import { mountHealth } from './http/health.ts';
import { createLimits, NO_LIMITS } from './http/limits.ts';
import { mountMedia } from './http/media.ts';
import { createMetrics, type Metrics } from './http/metrics.ts';
import { mountReference } from './http/reference.ts';
import { Repeats } from './http/repeats.ts';
import { createServer } from './http/server.ts';
import type { SharedCounters } from './http/shared-counters.ts';
import { isAnythingDue, type LettingJob, type LogFacts, startLettingJob } from './jobs/letting-job.ts';
import { runRoundInThread } from './letting-thread.ts';
import { SeparateAudioReader } from './media/audio.ts';
import { closeMediaPlaces, openMediaPlaces } from './media/open.ts';
import { createDeleteRecording } from './recordings/delete.ts';
import type { MediaPlaces } from './recordings/media.ts';
import { RECORDING_SETTINGS } from './recordings/settings.ts';
import { createTakeIn } from './recordings/take-in.ts';
import { openStore, type Store, type StorePlace } from './store/open.ts';
import { VERSION } from './version.ts';

/** Every vendor's wire format that Rollcall answers in. A new vendor is a folder and a line here. */
export const DIALECTS: readonly Dialect[] = [convoso, voiso, smartflo];

/** Every wire format that the server speaks: the vendors', and our own. */
export const WIRES: readonly WireFormat[] = [...DIALECTS, rollcall];

/** Every setting that a contact center has. */
export const SETTINGS: readonly SettingDefinition[] = [
  ...DIALECTS.flatMap((dialect) => dialect.settings),
  ...RECORDING_SETTINGS,
];

/** Every form in which users are loaded and given out, the most telling first. */
export const FORMATS: readonly UserFormat[] = [...DIALECTS.flatMap((dialect) => dialect.formats), native];

export const SURROUNDINGS: Surroundings = { now: Date.now, newId: () => uuidV7() };

/** Opens the store with every dialect's needs. */
export function openRollcallStore(
  { data, databaseUrl, replica }: StorePlace,
  cacheMiB: number,
  observe?: (name: string, seconds: number) => void,
  onMigrated?: (name: string) => void,
): Promise<Store> {
  return openStore({
    data,
    databaseUrl,
    replica,
    dialects: DIALECTS.map((dialect) => dialect.index),
    now: SURROUNDINGS.now,
    cacheMiB,
    ...(onMigrated === undefined ? {} : { onMigrated }),
    ...(observe === undefined
      ? {}
      : { isServing: true, observe: (statement, _, seconds) => observe(statement.name, seconds) }),
  });
}

export interface App {
  readonly server: FastifyInstance;
  readonly store: Store;
  /** What its endpoints work with. */
  readonly deps: DialectDeps;
  readonly places: MediaPlaces;
  /** Begins to let recordings go in the background, until `close`. */
  startJobs(): void;
  /** Stops being ready, answers what is under way, closes the store. */
  close(): Promise<void>;
}

/** Page cache of a serving process: memory stays flat, the operating system's own cache does the rest. */
const SERVE_CACHE_MIB = 8;

function startJobs(config: ServeConfig, store: Store, places: MediaPlaces, logger: Logger): LettingJob {
  const log: LogFacts = (facts) => logger.info(facts, 'letting recordings go');
  const letting = { ...SURROUNDINGS, store: store.letting, places };
  const { data, databaseUrl, media } = config;
  const thread = { store: { data, databaseUrl }, dialects: DIALECTS.map(({ index }) => index), media };
  return startLettingJob({
    lease: store.openLease('letting'),
    isDue: () => isAnythingDue({ letting, contactCenters: () => store.access.contactCenters(), log }),
    run: (signal) => runRoundInThread(thread, signal, log),
    log,
  });
}

/** Lets recordings go in a process that serves nothing: the first of those that share a port. */
export async function openJobs(config: ServeConfig, log: Logger): Promise<LettingJob> {
  const places = await openMediaPlaces(config.media);
  const { data, databaseUrl } = config;
  const store = await openRollcallStore({ data, databaseUrl }, SERVE_CACHE_MIB);
  const job = startJobs(config, store, places, log);
  return {
    async stop() {
      await job.stop();
      await store.close();
      await closeMediaPlaces(places);
    },
  };
}

/** Counters that processes share; null where there is no Redis for it, or nothing to count. */
async function openSharedCounters(
  { redis, rateLimit }: ServeConfig,
  log: Logger,
  observe: Metrics['observeLimit'],
): Promise<SharedCounters | null> {
  if (redis === null || rateLimit === null) return null;
  // Loaded where it is needed: most servers have no Redis.
  const { SharedCounters } = await import('./http/shared-counters.ts');
  return SharedCounters.open({ url: redis.url, observe, warn: (message) => log.warn({}, message) });
}

/** Puts the parts together: store in, dialects mounted, server out. */
export async function createApp(
  config: ServeConfig,
  log: Logger,
  render?: (own: () => Promise<string>) => Promise<string>,
): Promise<App> {
  const places = await openMediaPlaces(config.media);
  let observed: ((name: string, seconds: number) => void) | undefined;
  const store = await openRollcallStore(config, SERVE_CACHE_MIB, (name, seconds) =>
    observed?.(name, seconds),
  );
  if (store.isReplicaAway) {
    log.warn(
      {},
      'the replica cannot be reached, or is no standby of the database, which answers in its place',
    );
  }
  const metrics = createMetrics(store.importTotals, store.figures);
  observed = metrics.observeStatement;
  const audio = new SeparateAudioReader();
  let isDraining = false;
  const counters = await openSharedCounters(config, log, metrics.observeLimit);
  const limits = config.rateLimit === null ? NO_LIMITS : createLimits(config.rateLimit, counters?.newCounter);
  const { now } = SURROUNDINGS;
  const deps: DialectDeps = {
    users: store.pages,
    encoded: new EncodedUsers(store.pages),
    recordings: store.recordings,
    takeIn: createTakeIn({
      ...SURROUNDINGS,
      recordings: store.recordings,
      main: places.main,
      audio,
      mostBytes: config.mostUpload,
    }),
    mostUpload: config.mostUpload,
    deleteRecording: createDeleteRecording(
      store.recordings,
      { ...SURROUNDINGS, store: store.letting, places },
      store.audit,
    ),
    signingKeys: store.signingKeys,
    publicUrl: config.publicUrl,
    answers: new Answers(),
    now,
  };
  const server = createServer(config, {
    ...deps,
    repeats: new Repeats({ access: store.access, limits, now }),
    dialects: WIRES,
    access: store.access,
    limits,
    log,
    metrics,
    mountFirst: (app) => mountReference(app, VERSION),
  });
  mountMedia(server, { linked: store.linked, places, audit: store.audit, limits, now });
  mountHealth(server, {
    metrics,
    render: () =>
      render === undefined ? metrics.registry.metrics() : render(() => metrics.registry.metrics()),
    ping: () => store.ping(),
    isDraining: () => isDraining,
  });
  let job: LettingJob | null = null;
  return {
    server,
    store,
    deps,
    places,
    startJobs() {
      job ??= startJobs(config, store, places, log);
    },
    async close() {
      isDraining = true;
      await Promise.all([server.close(), job?.stop()]);
      await store.close();
      await audio.close();
      counters?.close();
      await closeMediaPlaces(places);
    },
  };
}

import cluster from 'node:cluster';
import type { Command } from 'commander';
import pino, { type Logger } from 'pino';
import { type ContactCenter, settingOf } from '../access/contact-center.ts';
import { createApp, openJobs, openRollcallStore, SURROUNDINGS } from '../app.ts';
import { readServeConfig, type ServeConfig, type ServeFlags } from '../config/serve.ts';
import { Failure } from '../errors.ts';
import type { SampleFacts } from '../http/dialect.ts';
import { prepareDrain } from '../http/drain.ts';
import { expiryOf, signLink } from '../recordings/links.ts';
import { isPastRetention } from '../recordings/retention.ts';
import { LINK_SECONDS } from '../recordings/settings.ts';
import type { Store } from '../store/open.ts';
import { writeBanner } from './banner.ts';
import { placeOf } from './context.ts';
import { createDemoToken, needDemo } from './demo.ts';
import { asUsage, wholeFlag } from './output.ts';
import type { NewCommand } from './program.ts';
import { awaitMetrics, forkWorkers } from './workers.ts';

/** How long requests under way may take once the process is to end, in milliseconds. */
const DRAIN = 10_000;

/** The request log: JSON lines on stderr, so that stdout stays for people. */
function openLog(): Logger {
  return pino({ base: null }, pino.destination({ fd: 2, sync: false, minLength: 8192, periodicFlush: 100 }));
}

/** Serves until SIGTERM or SIGINT, then answers what is under way and ends. Gives the address. */
async function serveHere(config: ServeConfig): Promise<string> {
  const log = openLog();
  const app = await createApp(config, log, cluster.isWorker ? awaitMetrics : undefined);
  const drain = prepareDrain(app.server.server);
  const address = await app.server.listen({ host: config.host, port: config.port }).catch(async (error) => {
    await app.close();
    throw listenFailure(error, config);
  });
  let isEnding = false;
  const end = () => {
    if (isEnding) return;
    isEnding = true;
    drain(() => app.close(), DRAIN).then(
      (cut) => {
        if (cut > 0) log.warn({ cut }, 'requests were cut off, as they did not end in time');
        log.flush(() => process.exit(cut > 0 ? 1 : 0));
      },
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  if (cluster.isWorker) process.on('disconnect', end);
  else app.startJobs();
  return address;
}

/** Serves by processes that share the port, and does here what one of them alone is to do. */
async function serveByWorkers(config: ServeConfig): Promise<string> {
  const address = await forkWorkers(config);
  const job = await openJobs(config, openLog());
  const stop = () => {
    // The process ends with its last worker; what the job has under way is safe to break off.
    job.stop().catch(() => {});
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  return address;
}

function listenFailure(error: unknown, { host, port }: ServeConfig): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') {
    return new Failure('unavailable', `port ${port} is taken by another program; give another with --port`, {
      cause: error,
    });
  }
  if (code === 'EACCES') {
    return new Failure(
      'unavailable',
      `port ${port} needs more rights than this process has; give another with --port`,
      { cause: error },
    );
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new Failure('unavailable', `${host} is no address of this machine; give another with --host`, {
      cause: error,
    });
  }
  return error;
}

async function runServe(flags: ServeFlags & { readonly json?: boolean }): Promise<void> {
  const config = asUsage(() => readServeConfig(flags));
  if (cluster.isWorker) {
    await serveHere(config).catch((error) => {
      // The channel to the first process would keep a worker alive that serves nothing.
      process.disconnect();
      throw error;
    });
    return;
  }
  // Made before anything is served, and by one process alone.
  const store = await openRollcallStore(placeOf(config), 32);
  let demo = null;
  try {
    if (config.demo) {
      const contactCenter = await needDemo(store);
      const { users } = await store.pages.page(contactCenter, {
        dialect: 'voiso',
        match: { kind: 'everyone' },
        limit: 20,
        count: 'none',
        fields: ['email', 'extensions'],
      });
      const shown = users.find((user) => user.email !== null && user.extensions.length > 0);
      demo = {
        token: await createDemoToken(store, contactCenter),
        facts: {
          contactCenter,
          email: shown?.email ?? '',
          extension: shown?.extensions[0] ?? '',
          recording: await findSampleRecording(store, contactCenter),
        },
      };
    }
  } finally {
    await store.close();
  }
  const address = config.workers === 1 ? await serveHere(config) : await serveByWorkers(config);
  writeBanner({ address, config, demo, json: flags.json === true });
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

/** `serve`. */
export function addServeCommand(program: Command, newCommand: NewCommand): void {
  newCommand(program, 'serve', 'answer requests until SIGTERM')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'where to listen; 0 takes a free one', wholeFlag('--port', 0, 65_535), 8080)
    .option('--workers <n>', 'processes that share the port', wholeFlag('--workers', 1, 64), 1)
    .option('--tls-cert <file>', 'certificate chain, PEM')
    .option('--tls-key <file>', 'its key, PEM')
    .option('--insecure-http', 'listen on a public address without TLS')
    .option(
      '--rate-limit <n>',
      'requests per second and token',
      wholeFlag('--rate-limit', 1, 1_000_000_000),
      100,
    )
    .option('--no-rate-limit', 'no limits, for load tests')
    .option(
      '--trust-proxy <list>',
      'proxies whose X-Forwarded-For is believed: addresses or CIDR, comma separated',
    )
    .option(
      '--max-upload-mib <n>',
      'the longest audio that an upload may have, in MiB',
      wholeFlag('--max-upload-mib', 1, 1_048_576),
      2048,
    )
    .option(
      '--public-url <url>',
      'where clients reach this server, for links (default: where each request came to)',
    )
    .option('--demo', 'make the contact center demo and print a token and requests for it')
    .action(runServe);
}

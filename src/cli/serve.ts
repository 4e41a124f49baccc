import cluster from 'node:cluster';
import { type Command, Option } from 'commander';
import { createApp, openJobs } from '../app.ts';
import { defaultRedisUrl, readServeConfig, type ServeConfig, type ServeFlags } from '../config/serve.ts';
import { Failure } from '../errors.ts';
import { prepareDrain } from '../http/drain.ts';
import { writeBanner } from './banner.ts';
import { prepareStore } from './demo-facts.ts';
import { asUsage, wholeFlag } from './output.ts';
import type { NewCommand } from './program.ts';
import { addReplicaOptions, type ReplicaFlags, readReplica } from './replica-options.ts';
import { openRequestLog } from './request-log.ts';
import { awaitMetrics, forkWorkers } from './workers.ts';

/** How long requests under way may take once the process is to end, in milliseconds. */
const DRAIN = 10_000;

/** Ends the process at SIGTERM or SIGINT, as there is nothing under way yet. Gives what calls it off. */
function endAtSignals(): () => void {
  const end = () => process.exit(0);
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  return () => {
    process.off('SIGTERM', end);
    process.off('SIGINT', end);
  };
}

/**
 * Serves until SIGTERM or SIGINT, then answers what is under way and ends. Gives the address.
 * @param onServing told when it ends by itself at these
 */
async function serveHere(config: ServeConfig, onServing: () => void): Promise<string> {
  const log = openRequestLog();
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
  // Only now: a signal that came meanwhile is lost where for a moment nobody listens.
  onServing();
  if (cluster.isWorker) process.on('disconnect', end);
  else app.startJobs();
  return address;
}

/** Serves by processes that share the port, and does here what one of them alone is to do. */
async function serveByWorkers(config: ServeConfig, onServing: () => void): Promise<string> {
  const log = openRequestLog();
  const address = await forkWorkers(config, log, onServing);
  const job = await openJobs(config, log);
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

async function runServe(flags: ServeFlags & ReplicaFlags & { readonly json?: boolean }): Promise<void> {
  const replica = readReplica(flags);
  const config = { ...asUsage(() => readServeConfig(flags)), ...(replica === undefined ? {} : { replica }) };
  const goOn = endAtSignals();
  if (cluster.isWorker) {
    await serveHere(config, goOn).catch((error) => {
      // The channel to the first process would keep a worker alive that serves nothing.
      process.disconnect();
      throw error;
    });
    return;
  }
  // Before anything is served, and by one process alone.
  const demo = await prepareStore(config);
  const address = config.workers === 1 ? await serveHere(config, goOn) : await serveByWorkers(config, goOn);
  writeBanner({ address, config, demo, json: flags.json === true });
}

/** `serve`. */
export function addServeCommand(
  program: Command,
  newCommand: NewCommand,
  env: Readonly<Record<string, string | undefined>>,
): void {
  addReplicaOptions(newCommand(program, 'serve', 'answer requests until SIGTERM'), env)
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
    .addOption(
      new Option(
        '--redis-url <url>',
        'Redis in which all processes count requests together (or ROLLCALL_REDIS_URL, which no list of processes shows)',
      ).default(defaultRedisUrl(env), 'that of the environment'),
    )
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

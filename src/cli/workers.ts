import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import type { ServeConfig } from '../config/serve.ts';
import { Failure } from '../errors.ts';

interface MetricsAsked {
  readonly ask: 'metrics';
  readonly id: number;
}
interface MetricsTold {
  readonly tell: 'metrics';
  readonly id: number;
  /** Null where a worker did not give its figures in time. */
  readonly text: string | null;
}

const asked = (message: unknown): message is MetricsAsked =>
  typeof message === 'object' && message !== null && 'ask' in message && message.ask === 'metrics';
const told = (message: unknown): message is MetricsTold =>
  typeof message === 'object' && message !== null && 'tell' in message && message.tell === 'metrics';

/** Waits before a worker is started again that did not come to listen, in milliseconds: doubled each time. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

let nextId = 1;

/** In a worker: the figures of all workers together, put together by the first process. */
export async function awaitMetrics(own: () => Promise<string>): Promise<string> {
  const id = nextId++;
  return new Promise((resolve, reject) => {
    const receive = (message: unknown) => {
      if (!told(message) || message.id !== id) return;
      process.off('message', receive);
      if (message.text !== null) resolve(message.text);
      else reject(new Failure('unavailable', 'a worker gave no figures; ask again', { retryAfter: 1 }));
    };
    process.on('message', receive);
    if (process.send === undefined) own().then(resolve, reject);
    else process.send({ ask: 'metrics', id } satisfies MetricsAsked);
  });
}

/**
 * In the first process: starts the workers and gives the address once all of them listen. From then on, one that
 * ends is replaced; where the replacement does not come to listen, as the database is away, it is tried again.
 * @param onForking told when signals end the workers, and this process with the last of them
 */
export async function forkWorkers(config: ServeConfig, log: Logger, onForking: () => void): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  const aggregator = new AggregatorRegistry();
  let isEnding = false;
  let haveAllServed = false;
  const workers = new Set<Worker>();

  const fork = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork();
      let hasServed = false;
      workers.add(worker);
      worker.on('listening', ({ address, port, addressType }) => {
        hasServed = true;
        const host = addressType === 6 ? `[${address}]` : (address ?? config.host);
        resolve(`${config.tls === null ? 'http' : 'https'}://${host}:${port}`);
      });
      worker.on('message', (message: unknown) => {
        if (!asked(message)) return;
        const tell = (text: string | null) => {
          // It may have ended meanwhile: then nobody waits for the figures.
          worker.process.send?.({ tell: 'metrics', id: message.id, text } satisfies MetricsTold, () => {});
        };
        aggregator.clusterMetrics().then(tell, () => tell(null));
      });
      // Messages to a worker that is just ending cannot be sent; its end is what is acted on.
      worker.on('error', () => {});
      worker.on('exit', (code) => {
        workers.delete(worker);
        if (isEnding) {
          // One that was still starting is ended before it can listen to signals.
          if (code !== 0 && hasServed) process.exitCode = 1;
          if (workers.size === 0) process.exit();
          return;
        }
        reject(new Failure('unavailable', 'a worker ended before it served; what it said is above'));
        if (hasServed) {
          // A crash costs one worker's requests under way, not the service.
          replace();
        } else if (workers.size === 0 && !haveAllServed) process.exit(1);
      });
    });

  const replace = async () => {
    for (let pause = FIRST_PAUSE; !isEnding; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const isServing = await fork().then(
        () => true,
        () => false,
      );
      if (isServing || isEnding) return;
      log.warn(
        { pause },
        'a worker ended before it served; another one is started after so many milliseconds',
      );
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  };

  const end = () => {
    isEnding = true;
    for (const worker of workers) worker.process.kill('SIGTERM');
  };
  const endBySignal = () => {
    end();
    // It may be just then that there is none.
    if (workers.size === 0) process.exit();
  };
  process.on('SIGTERM', endBySignal);
  process.on('SIGINT', endBySignal);
  // Only now: a signal that came meanwhile is lost where for a moment nobody listens.
  onForking();
  const addresses = await Promise.all(Array.from({ length: config.workers }, fork)).catch((error) => {
    end();
    throw error;
  });
  haveAllServed = true;
  return addresses[0] ?? '';
}

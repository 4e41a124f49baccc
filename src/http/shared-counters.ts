import { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { countHere, type NewCounter } from './limits.ts';

/** How long a request waits for Redis, in milliseconds; and how many have to wait in vain before none does. */
const PATIENCE = 10;
const IN_VAIN = 3;
/** How often a Redis that did not answer is tried, and until a connection that says nothing is given up. */
const RETRY = 500;
const SILENCE = 1000;
/** What is known to go wrong now and then is not logged more often. */
const LOG_AGAIN = 60_000;

export interface SharedCountersDeps {
  readonly url: string;
  /** Told of each request that was counted: in Redis, or in this process alone. */
  readonly observe: (counted: 'redis' | 'process') => void;
  readonly warn: (message: string) => void;
}

/**
 * Counts in Redis, so that processes share their limits. Where Redis does not answer at once, requests are
 * counted in this process by itself and none is sent there, until it answers to a try beside them.
 */
export class SharedCounters {
  readonly #deps: SharedCountersDeps;
  readonly #redis: Redis;
  readonly #probe: RateLimiterRedis;
  #isShared = false;
  /** Whether the connection was refused: then nothing can even be sent. */
  #isRefused = false;
  /** Requests that waited in vain since the last answer. */
  #inVain = 0;
  #warnedAt = Number.NEGATIVE_INFINITY;
  #retry: NodeJS.Timeout | undefined;

  private constructor(deps: SharedCountersDeps) {
    this.#deps = deps;
    this.#redis = new Redis(deps.url, {
      lazyConnect: true,
      // What cannot be sent now is not sent later: it was counted here meanwhile.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => RETRY,
      connectTimeout: SILENCE,
      socketTimeout: SILENCE,
      connectionName: 'rollcall',
      disableClientInfo: true,
      // Understood by every version that is still about, and by what speaks like it.
      protocol: 2,
    });
    this.#redis.on('error', (error) => {
      this.#isRefused = isRefusal(error);
    });
    this.#redis.on('ready', () => {
      this.#isRefused = false;
    });
    this.#probe = this.#limiter('probe', 1_000_000);
  }

  /** Connects; where that takes too long it goes on by itself. */
  static async open(deps: SharedCountersDeps): Promise<SharedCounters> {
    const counters = new SharedCounters(deps);
    await withPatience(counters.#redis.connect(), 2 * SILENCE).catch(() => {});
    await counters.#tryAgain(SILENCE);
    return counters;
  }

  readonly newCounter: NewCounter = (name, points) => {
    const limiter = this.#limiter(name, points);
    const here = countHere(name, points);
    return async (key) => {
      if (this.#isShared) {
        try {
          await withPatience(limiter.consume(key), PATIENCE);
          this.#inVain = 0;
          return this.#deps.observe('redis');
        } catch (error) {
          if (error instanceof RateLimiterRes) {
            this.#deps.observe('redis');
            throw error;
          }
          this.#inVain += 1;
          if (!(error instanceof NoAnswer) || this.#inVain >= IN_VAIN) this.#leave(error);
        }
      }
      this.#deps.observe('process');
      await here(key);
    };
  };

  close(): void {
    clearTimeout(this.#retry);
    this.#redis.disconnect();
  }

  #limiter(name: string, points: number): RateLimiterRedis {
    return new RateLimiterRedis({
      storeClient: this.#redis,
      rejectIfRedisNotReady: true,
      keyPrefix: `rollcall:${name}`,
      points,
      duration: 1,
      // Who is over the limit costs Redis nothing more until the window ends.
      inMemoryBlockOnConsumed: points,
    });
  }

  #leave(error: unknown): void {
    // Requests that waited together fail together.
    if (this.#retry === undefined) this.#retry = setTimeout(() => this.#tryAgain(PATIENCE), RETRY).unref();
    this.#isShared = false;
    if (performance.now() - this.#warnedAt < LOG_AGAIN) return;
    this.#warnedAt = performance.now();
    this.#deps.warn(
      this.#isRefused || isRefusal(error)
        ? 'Redis refuses to count; check user and password in its URL, and its memory: each process limits by itself'
        : 'Redis does not answer: each process limits by itself until it does',
    );
  }

  async #tryAgain(patience: number): Promise<void> {
    this.#retry = undefined;
    try {
      await withPatience(this.#probe.consume('probe'), patience);
      this.#isShared = true;
      this.#inVain = 0;
    } catch (error) {
      this.#leave(error);
    }
  }
}

/** Whether Redis answered, and said no. */
const isRefusal = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError';

class NoAnswer extends Error {}

/** What a wait gives, or an error once it has taken so many milliseconds. */
function withPatience<T>(wait: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      // Where it was this process that was busy, the answer lies here already, and is read before this.
      setImmediate(() => reject(new NoAnswer()));
    }, milliseconds);
    wait.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpFailure } from './wire-failure.ts';

/** Requests of one address that one of its tokens' limit makes room for. */
const TOKENS_PER_ADDRESS = 10;

/** Limits requests by token and by address, in windows of one second. */
export interface Limits {
  /** Counts a request that was let in. @throws HttpFailure rate_limited */
  admit(tokenId: string, address: string): Promise<void>;
  /**
   * Counts a request that was refused. An address may have as many of these as a token has requests; they
   * are counted apart, so that whoever guesses there costs nobody else anything.
   * @throws HttpFailure rate_limited
   */
  refuse(address: string): Promise<void>;
  /**
   * Counts audio that a link's holder gets. Players ask for many ranges, and have no token: an address has as
   * many as all of its tokens together, counted apart. @throws HttpFailure rate_limited
   */
  play(address: string): Promise<void>;
}

/** No limits at all, for load tests. */
export const NO_LIMITS: Limits = {
  admit: async () => {},
  refuse: async () => {},
  play: async () => {},
};

/** Counts one more for a key in the window that runs, or begins with it. @throws RateLimiterRes where that is too many */
export type Count = (key: string) => Promise<unknown>;

/** Makes what counts up to so many in a second. @param name tells one kind of key from another */
export type NewCounter = (name: string, points: number) => Count;

/** Counts in this process. */
export const countHere: NewCounter = (_, points) => {
  const limiter = new RateLimiterMemory({ points, duration: 1 });
  return (key) => limiter.consume(key);
};

/**
 * @param perSecond requests that a token may make in a second; an address may make ten times as many
 * @param newCounter where they are counted: in this process, where nothing else is said
 */
export function createLimits(perSecond: number, newCounter: NewCounter = countHere): Limits {
  const limit = (name: string, allowed: number) => {
    const count = newCounter(name, allowed);
    return async (key: string): Promise<void> => {
      try {
        await count(key);
      } catch (error) {
        if (!(error instanceof RateLimiterRes)) throw error;
        const resetIn = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
        throw new HttpFailure('rate_limited', { retryAfter: resetIn, limit: { allowed, resetIn } });
      }
    };
  };
  const token = limit('token', perSecond);
  const address = limit('address', perSecond * TOKENS_PER_ADDRESS);

  return {
    async admit(tokenId, from) {
      await token(tokenId);
      await address(from);
    },
    refuse: limit('refused', perSecond),
    play: limit('played', perSecond * TOKENS_PER_ADDRESS),
  };
}

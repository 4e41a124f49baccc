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

/** @param perSecond requests that a token may make in a second; an address may make ten times as many. */
export function createLimits(perSecond: number): Limits {
  const tokens = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const refusals = new RateLimiterMemory({ points: perSecond, duration: 1 });
  const addresses = new RateLimiterMemory({ points: perSecond * TOKENS_PER_ADDRESS, duration: 1 });
  const plays = new RateLimiterMemory({ points: perSecond * TOKENS_PER_ADDRESS, duration: 1 });

  const consume = async (limiter: RateLimiterMemory, key: string): Promise<void> => {
    try {
      await limiter.consume(key);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const resetIn = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
      throw new HttpFailure('rate_limited', {
        retryAfter: resetIn,
        limit: { allowed: limiter.points, resetIn },
      });
    }
  };

  return {
    async admit(tokenId, address) {
      await consume(tokens, tokenId);
      await consume(addresses, address);
    },
    refuse: (address) => consume(refusals, address),
    play: (address) => consume(plays, address),
  };
}

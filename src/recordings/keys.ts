import type { ContactCenter } from '../access/contact-center.ts';
import { dueBatches, type LettingDeps, type Pace } from './letting.ts';

/** Lets go of the idempotency keys of recordings that were let go long ago. Gives how many. */
export async function forgetKeys(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pace,
): Promise<number> {
  const now = deps.now();
  let forgotten = 0;
  for await (const batch of dueBatches(deps, contactCenter, 'key', now, pace)) {
    await Promise.all(batch.map(({ number }) => deps.store.forgetKey(contactCenter, number, now)));
    forgotten += batch.length;
  }
  return forgotten;
}

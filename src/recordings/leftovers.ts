import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import type { Leftover, LettingDeps, Pace } from './letting.ts';
import { TIERS } from './media.ts';

/** What became of audio that was to be removed. */
export interface Removed {
  /** Copies that are gone. */
  readonly removed: number;
  /** Copies that stay for a later try. */
  readonly left: number;
  /** Why they stay. */
  readonly failure: Failure | null;
}

export const NOTHING_REMOVED: Removed = { removed: 0, left: 0, failure: null };

/** Removes audio that is left over, and notes that it is gone. What a tier cannot remove now stays noted. */
export async function removeLeftovers(
  { store, places }: LettingDeps,
  contactCenter: ContactCenter,
  leftovers: readonly Leftover[],
): Promise<Removed> {
  let total = NOTHING_REMOVED;
  for (const tier of TIERS) {
    const here = leftovers
      .map(({ number, copies }) => ({ number, copies: copies.filter((copy) => copy.tier === tier) }))
      .filter(({ copies }) => copies.length > 0);
    const keys = here.flatMap(({ copies }) =>
      copies.map(({ id }) => ({ contactCenterId: contactCenter.id, id })),
    );
    if (keys.length === 0) continue;
    try {
      const place = places[tier];
      if (place === null) throw archiveMissing();
      await place.remove(...keys);
      await Promise.all(here.map(({ number, copies }) => store.clearLeftover(contactCenter, number, copies)));
      total = addRemoved(total, { removed: keys.length, left: 0, failure: null });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      total = addRemoved(total, { removed: 0, left: keys.length, failure: error });
    }
  }
  return total;
}

/** Removes whatever is left over in a contact center. */
export async function removeAllLeftovers(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  pace: Pace,
): Promise<Removed> {
  let total = NOTHING_REMOVED;
  for (let after = 0; !pace.signal.aborted; ) {
    const leftovers = await deps.store.leftovers(contactCenter, after, pace.batch);
    const last = leftovers.at(-1);
    if (last === undefined) break;
    total = addRemoved(total, await removeLeftovers(deps, contactCenter, leftovers));
    after = last.number;
    await pace.pause();
  }
  return total;
}

export function addRemoved(one: Removed, other: Removed): Removed {
  return {
    removed: one.removed + other.removed,
    left: one.left + other.left,
    failure: other.failure ?? one.failure,
  };
}

/** Audio lies in an archive tier that this process was not given. */
export function archiveMissing(): Failure {
  return new Failure('precondition', 'there is no archive tier; name it with --archive-media');
}

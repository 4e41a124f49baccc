import type { ContactCenter } from '../access/contact-center.ts';
import type { LettingDeps, Pace } from './letting.ts';
import { type MediaPlace, type StoredMedia, TIERS, type Tier } from './media.ts';
import { NOTHING_SAID, type SweepFinding, type SweepOptions } from './sweep.ts';

/** A sweep of what belongs to no contact center. */
export interface SweepingStrangers {
  readonly deps: Pick<LettingDeps, 'places' | 'now'>;
  /** Those that there are when it is asked. */
  readonly contactCenters: () => Promise<readonly Pick<ContactCenter, 'id'>[]>;
  readonly options: Pick<SweepOptions, 'mend' | 'grace'>;
  /** Why nothing is to be removed though it is to be mended; null where nothing speaks against it. */
  readonly spares: string | null;
  readonly pace: Pick<Pace, 'batch' | 'pause' | 'signal'>;
  readonly onFinding: (contactCenterId: number, finding: SweepFinding) => void;
}

/** Looks for audio of contact centers that the store does not know, as after an older backup was put back. */
export async function sweepStrangers(sweeping: SweepingStrangers): Promise<void> {
  const { deps, contactCenters } = sweeping;
  const known = new Set((await contactCenters()).map(({ id }) => id));
  for (const tier of TIERS) {
    const place = deps.places[tier];
    if (place === null) continue;
    for await (const id of place.contactCenters()) {
      if (!known.has(id)) await sweepStranger(sweeping, tier, place, id);
    }
  }
}

async function sweepStranger(
  sweeping: SweepingStrangers,
  tier: Tier,
  place: MediaPlace,
  contactCenterId: number,
): Promise<void> {
  const { deps, contactCenters, options, spares, pace, onFinding } = sweeping;
  const youngest = deps.now() - options.grace;
  let batch: StoredMedia[] = [];
  const sweepBatch = async () => {
    const some = batch;
    batch = [];
    // Asked after the audio was seen: a contact center is there before its audio.
    if ((await contactCenters()).some(({ id }) => id === contactCenterId)) return;
    const isMended = options.mend && spares === null;
    if (isMended) await place.remove(...some.map(({ key }) => key));
    const outcome = { isMended, reason: options.mend ? spares : null };
    for (const { key } of some) {
      onFinding(contactCenterId, { ...NOTHING_SAID, kind: 'orphan', tier, id: key.id, ...outcome });
    }
    await pace.pause();
  };
  for await (const media of place.list(contactCenterId)) {
    if (pace.signal.aborted) return;
    if (media.modifiedAt <= youngest) batch.push(media);
    if (batch.length >= pace.batch) await sweepBatch();
  }
  if (batch.length > 0) await sweepBatch();
}

import { type Copy, copyOf } from './letting.ts';
import type { MediaPlace, StoredMedia, Tier } from './media.ts';
import type { Sweeping } from './sweep.ts';
import { checksumOf, type Missing } from './sweep-rows.ts';

/** A copy as a name for sets. */
export const nameOf = ({ tier, id }: Copy): string => `${tier}:${id}`;

/** Looks for audio in a tier that belongs to no recording of the contact center. */
export async function sweepFiles(
  sweeping: Sweeping,
  tier: Tier,
  place: MediaPlace,
  left: ReadonlySet<string>,
  missing: Missing,
): Promise<void> {
  const { deps, contactCenter, options, pace } = sweeping;
  const youngest = deps.now() - options.grace;
  // In the wrong folder whatever lies there is no recording's, and somebody else's all.
  const spares = missing.isAstray(options.mostLost);
  let batch: StoredMedia[] = [];
  const sweepBatch = async () => {
    for (const orphan of await findOrphans(sweeping, tier, batch)) {
      if (!left.has(nameOf({ tier, id: orphan.key.id })))
        await dealWith(sweeping, tier, place, orphan, missing, spares);
    }
    batch = [];
    await pace.pause();
  };
  for await (const media of place.list(contactCenter.id)) {
    if (pace.signal.aborted) return;
    if (media.modifiedAt <= youngest) batch.push(media);
    if (batch.length >= pace.batch) await sweepBatch();
  }
  if (batch.length > 0) await sweepBatch();
}

/** Those of some audio that are no recording's. */
async function findOrphans(
  { deps, contactCenter, pace }: Sweeping,
  tier: Tier,
  batch: readonly StoredMedia[],
): Promise<StoredMedia[]> {
  const expected = new Set<string>();
  // In this order: a copy whose move ends in between is its recording's audio then.
  for (let after = 0; ; ) {
    const page = await deps.store.moving(contactCenter, after, pace.batch);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const { move } of page) if (move !== null) expected.add(nameOf(move));
    after = last.recording.number;
  }
  const ids = batch.map(({ key }) => key.id);
  for (const { recording } of await deps.store.byMediaIds(contactCenter, ids)) {
    if (recording.state !== 'purged') expected.add(nameOf(copyOf(recording)));
  }
  return batch.filter(({ key }) => !expected.has(nameOf({ tier, id: key.id })));
}

async function dealWith(
  { deps, contactCenter, options, pace, tell }: Sweeping,
  tier: Tier,
  place: MediaPlace,
  { key, bytes }: StoredMedia,
  missing: Missing,
  spares: boolean,
): Promise<void> {
  const copy: Copy = { tier, id: key.id };
  const wanted = missing.hasBytes(bytes) ? missing.take(bytes, await checksumOf(place, key)) : null;
  if (wanted === null) {
    // No recording has it, and none can come to: UUIDs are taken before audio comes under them.
    const isMended = options.mend && !spares;
    if (isMended) await place.remove(key);
    const reason = options.mend && spares ? 'nothing is removed while so many recordings are lost' : null;
    tell({ kind: 'orphan', ...copy, isMended, reason });
    return;
  }
  const { number } = wanted.recording;
  const isMended =
    options.mend &&
    (await deps.store.adopt(contactCenter, wanted.recording, copy, {
      at: deps.now(),
      actor: pace.actor,
      action: tier === 'archive' ? 'recording.archived' : 'recording.restored',
      subject: String(number),
      outcome: 'done',
      details: { reason: 'misplaced' },
    }));
  tell({ kind: 'misplaced', number, ...copy, isMended });
}

import type { AccessStore } from '../access/ports.ts';
import type { LinkedRecording } from '../recordings/playing.ts';
import type { LinkedRecordings, RecordingStore, SigningKeys } from '../recordings/ports.ts';
import type { Engine } from './engine.ts';
import { KeptReads } from './kept-reads.ts';

/** Links whose recordings are kept at hand: players ask for the same one hundreds of times. */
const MOST_KEPT = 2000;

/** Finds what links claim to open, in the store. */
export function createLinkedRecordings(
  engine: Engine,
  access: Pick<AccessStore, 'findContactCenterById'>,
  recordings: Pick<RecordingStore, 'find'>,
  signingKeys: Pick<SigningKeys, 'find'>,
): LinkedRecordings {
  const kept = new KeptReads<LinkedRecording>(engine, MOST_KEPT);
  return {
    find: ({ contactCenterId, number, keyId }) =>
      kept.find(`${contactCenterId} ${number} ${keyId}`, async () => {
        const [contactCenter, key] = await Promise.all([
          access.findContactCenterById(contactCenterId),
          signingKeys.find(contactCenterId, keyId),
        ]);
        if (contactCenter === null) return null;
        return { contactCenter, recording: await recordings.find(contactCenter, number), key };
      }),
  };
}

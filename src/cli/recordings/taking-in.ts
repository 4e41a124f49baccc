import { SURROUNDINGS } from '../../app.ts';
import type { MediaFlags } from '../../config/media.ts';
import { SeparateAudioReader } from '../../media/audio.ts';
import type { AudioReader } from '../../recordings/media.ts';
import { createTakeIn, type TakeIn } from '../../recordings/take-in.ts';
import type { Store } from '../../store/open.ts';
import { withPlaces, withStore } from '../context.ts';

/** What commands that take recordings in work with. */
export interface TakingIn {
  readonly store: Store;
  readonly takeIn: TakeIn;
  readonly audio: AudioReader;
}

/** Opens all that taking in needs, and lets go of it whatever happens. Whoever owns the disk sets no limit. */
export async function withTakingIn<T>(flags: MediaFlags, work: (opened: TakingIn) => Promise<T>): Promise<T> {
  return withPlaces(flags, ({ main }) =>
    withStore(flags, async (store) => {
      const audio = new SeparateAudioReader();
      const takeIn = createTakeIn({
        ...SURROUNDINGS,
        recordings: store.recordings,
        main,
        audio,
        mostBytes: Number.MAX_SAFE_INTEGER,
      });
      try {
        return await work({ store, takeIn, audio });
      } finally {
        await audio.close();
      }
    }),
  );
}

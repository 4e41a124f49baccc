import type { MediaPlace, MediaPlaces } from '../recordings/media.ts';
import { DiskPlace } from './disk.ts';

/** What names a place. */
export interface PlaceOptions {
  readonly kind: 'disk';
  readonly folder: string;
}

async function openPlace(options: PlaceOptions): Promise<MediaPlace> {
  return new DiskPlace(options.folder);
}

/** Opens the places for audio; touches none of them yet. Only what is used is loaded. */
export async function openMediaPlaces(options: {
  readonly main: PlaceOptions;
  readonly archive: PlaceOptions | null;
}): Promise<MediaPlaces> {
  return {
    main: await openPlace(options.main),
    archive: options.archive === null ? null : await openPlace(options.archive),
  };
}

/** Lets go of the places. */
export async function closeMediaPlaces({ main, archive }: MediaPlaces): Promise<void> {
  await Promise.all([main.close(), archive?.close()]);
}

import type { MediaPlace, MediaPlaces } from '../recordings/media.ts';
import { DiskPlace } from './disk.ts';
import type { S3Options } from './s3.ts';

/** What names a place. */
export type PlaceOptions =
  | { readonly kind: 'disk'; readonly folder: string }
  | ({ readonly kind: 's3' } & S3Options);

async function openPlace(options: PlaceOptions): Promise<MediaPlace> {
  if (options.kind === 'disk') return new DiskPlace(options.folder);
  // AWS's SDK takes longer to load than all the rest, and most need none of it.
  const { S3Place } = await import('./s3.ts');
  return new S3Place(options);
}

/** Opens the places for audio; touches none of them yet. */
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

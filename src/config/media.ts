import { join } from 'node:path';
import { Failure } from '../errors.ts';

/** A place for audio, as it was named. */
export interface PlaceConfig {
  readonly kind: 'disk';
  readonly folder: string;
}

/** Where audio lies; `archive` is null where none was named. */
export interface MediaConfig {
  readonly main: PlaceConfig;
  readonly archive: PlaceConfig | null;
}

/** The flags that name places for audio, as they were given. */
export interface MediaFlags {
  readonly data: string;
  readonly media?: string;
  readonly archiveMedia?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the flags are where they are not given. */
export function defaultMedia(env: Environment): Partial<Record<keyof MediaFlags, string>> {
  return {
    ...(env.ROLLCALL_MEDIA ? { media: env.ROLLCALL_MEDIA } : {}),
    ...(env.ROLLCALL_ARCHIVE_MEDIA ? { archiveMedia: env.ROLLCALL_ARCHIVE_MEDIA } : {}),
  };
}

function readPlace(text: string, flag: string): PlaceConfig {
  if (text === '' || /^[a-z0-9+.-]+:\/\//i.test(text)) throw new Failure('invalid', `${flag} takes a folder`);
  return { kind: 'disk', folder: text };
}

/** Checks the flags. Without any, audio lies in `media` of the data folder. @throws Failure invalid */
export function readMediaConfig(flags: MediaFlags): MediaConfig {
  const main = flags.media === undefined ? join(flags.data, 'media') : flags.media;
  return Object.freeze({
    main: readPlace(main, '--media'),
    archive: flags.archiveMedia === undefined ? null : readPlace(flags.archiveMedia, '--archive-media'),
  });
}

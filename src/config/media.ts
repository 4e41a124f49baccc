import { join, resolve } from 'node:path';
import { Failure } from '../errors.ts';

/** A place for audio, as it was named. */
export type PlaceConfig =
  | { readonly kind: 'disk'; readonly folder: string }
  | {
      readonly kind: 's3';
      readonly bucket: string;
      /** What all names begin with: empty, or without a slash at either end. */
      readonly prefix: string;
      /** Null for AWS's own. */
      readonly endpoint: string | null;
      /** Null where AWS's own settings name it. */
      readonly region: string | null;
      /** Whether the bucket stands in the path, not in the host's name. */
      readonly pathStyle: boolean;
    };

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
  readonly s3Endpoint?: string;
  readonly s3Region?: string;
  /** Given as a flag it is true; the environment gives a text. */
  readonly s3PathStyle?: boolean | string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the flags are where they are not given. */
export function defaultMedia(env: Environment): Omit<MediaFlags, 'data'> {
  return {
    ...(env.ROLLCALL_MEDIA ? { media: env.ROLLCALL_MEDIA } : {}),
    ...(env.ROLLCALL_ARCHIVE_MEDIA ? { archiveMedia: env.ROLLCALL_ARCHIVE_MEDIA } : {}),
    ...(env.ROLLCALL_S3_ENDPOINT ? { s3Endpoint: env.ROLLCALL_S3_ENDPOINT } : {}),
    ...(env.ROLLCALL_S3_REGION ? { s3Region: env.ROLLCALL_S3_REGION } : {}),
    ...(env.ROLLCALL_S3_PATH_STYLE ? { s3PathStyle: env.ROLLCALL_S3_PATH_STYLE } : {}),
  };
}

const NAMES_A_SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
// What all servers take (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html); and prefixes
// that need no escapes anywhere.
const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([A-Za-z0-9._/-]*))?$/;

function readEndpoint(text: string | undefined): string | null {
  if (text === undefined) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || /[?#]/.test(text)) {
    throw new Failure('invalid', '--s3-endpoint takes an address such as https://s3.example.com');
  }
  return url.href.replace(/\/+$/, '');
}

function readPathStyle(given: boolean | string): boolean {
  if (typeof given === 'boolean') return given;
  if (given !== 'true' && given !== 'false') {
    throw new Failure('invalid', 'ROLLCALL_S3_PATH_STYLE is true or false');
  }
  return given === 'true';
}

function readPlace(text: string, flag: string, flags: MediaFlags): PlaceConfig {
  if (text !== '' && !NAMES_A_SCHEME.test(text)) return { kind: 'disk', folder: text };
  const [, bucket, path = ''] = BUCKET.exec(text) ?? [];
  const prefix = path.split('/').filter((part) => part !== '');
  if (bucket === undefined || prefix.some((part) => /^\.+$/.test(part))) {
    throw new Failure('invalid', `${flag} takes a folder, or a bucket such as s3://calls/prefix`);
  }
  return {
    kind: 's3',
    bucket,
    prefix: prefix.join('/'),
    endpoint: readEndpoint(flags.s3Endpoint),
    region: flags.s3Region ?? null,
    pathStyle: readPathStyle(flags.s3PathStyle ?? false),
  };
}

/** Two tiers in one place would let go of the same audio twice. */
function isSame(one: PlaceConfig, other: PlaceConfig): boolean {
  if (one.kind === 'disk' && other.kind === 'disk') return resolve(one.folder) === resolve(other.folder);
  return (
    one.kind === 's3' && other.kind === 's3' && one.bucket === other.bucket && one.prefix === other.prefix
  );
}

/** Checks the flags. Without any, audio lies in `media` of the data folder. @throws Failure invalid */
export function readMediaConfig(flags: MediaFlags): MediaConfig {
  const main = readPlace(flags.media ?? join(flags.data, 'media'), '--media', flags);
  const archive =
    flags.archiveMedia === undefined ? null : readPlace(flags.archiveMedia, '--archive-media', flags);
  if (archive !== null && isSame(main, archive)) {
    throw new Failure(
      'invalid',
      '--media and --archive-media are the same place; name another for the archive',
    );
  }
  return Object.freeze({ main, archive });
}

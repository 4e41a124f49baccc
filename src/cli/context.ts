import { existsSync } from 'node:fs';
import type { ContactCenter } from '../access/contact-center.ts';
import type { AccessStore } from '../access/ports.ts';
import { openRollcallStore } from '../app.ts';
import { type MediaFlags, readMediaConfig } from '../config/media.ts';
import { Failure } from '../errors.ts';
import { closeMediaPlaces, openMediaPlaces } from '../media/open.ts';
import type { MediaPlaces } from '../recordings/media.ts';
import { describeDatabase, type Store, type StorePlace, storePath } from '../store/open.ts';
import { asUsage } from './output.ts';

/** What every command takes. */
export interface CommonOptions {
  readonly data: string;
  readonly databaseUrl?: string;
  readonly json?: boolean;
}

/** Commands that write many rows gain from keeping the indexes' pages at hand. */
export const CACHE_MIB = 128;

/** Where the store is that the flags name. @throws UsageError where a URL is none */
export function placeOf({ data, databaseUrl }: CommonOptions): StorePlace {
  if (databaseUrl !== undefined) asUsage(() => describeDatabase(databaseUrl));
  return { data, databaseUrl };
}

/** As `withMadeStore`, on a store that is there. @throws Failure not_found where the data folder has none */
export async function withStore<T>(
  options: CommonOptions & Pick<StorePlace, 'replica'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  // A folder that was mistyped would get a store of its own, with nothing in it.
  if (options.databaseUrl === undefined && !existsSync(storePath(options.data))) {
    throw new Failure(
      'not_found',
      `there is no store in ${options.data}; name another folder with --data, or make one with: rollcall contact-center create NAME`,
    );
  }
  return withMadeStore(options, work);
}

/** Runs `work` on the store that the flags name, made where there is none, and closes it whatever happens. */
export async function withMadeStore<T>(
  options: CommonOptions & Pick<StorePlace, 'replica'>,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openRollcallStore({ ...placeOf(options), replica: options.replica }, CACHE_MIB);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Runs `work` on the places that the flags name, and lets go of them whatever happens. */
export async function withPlaces<T>(
  flags: MediaFlags,
  work: (places: MediaPlaces) => Promise<T>,
): Promise<T> {
  const places = await openMediaPlaces(asUsage(() => readMediaConfig(flags)));
  try {
    return await work(places);
  } finally {
    await closeMediaPlaces(places);
  }
}

/** The contact center of that name. @throws Failure not_found */
export async function needContactCenter(access: AccessStore, name: string): Promise<ContactCenter> {
  const found = await access.findContactCenter(name);
  if (found === null) {
    throw new Failure(
      'not_found',
      `there is no such contact center; make it with: rollcall contact-center create NAME`,
    );
  }
  return found;
}

import type { ContactCenter } from '../access/contact-center.ts';
import type { AccessStore } from '../access/ports.ts';
import { openRollcallStore } from '../app.ts';
import { Failure } from '../errors.ts';
import type { Store } from '../store/open.ts';

/** What every command takes. */
export interface CommonOptions {
  readonly data: string;
  readonly json?: boolean;
}

/** Commands that write many rows gain from keeping the indexes' pages at hand. */
const CACHE_MIB = 128;

/** Runs `work` on the store in the data folder, and closes it whatever happens. */
export async function withStore<T>(options: CommonOptions, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openRollcallStore(options.data, CACHE_MIB);
  try {
    return await work(store);
  } finally {
    await store.close();
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

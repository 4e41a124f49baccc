import { after, before, describe } from 'node:test';
import type { ContactCenter } from '../../src/access/contact-center.ts';
import type { DialectIndex } from '../../src/directory/query.ts';
import type { Store } from '../../src/store/open.ts';
import { describeAccess } from './access-contract.ts';
import { describeFill } from './fill-contract.ts';
import { describeLetting } from './letting-contract.ts';
import { describeManyRecordings } from './many-recordings-contract.ts';
import { describeMigrations } from './migrations-contract.ts';
import { describeOffsets } from './offsets-contract.ts';
import { describePages } from './pages-contract.ts';
import { ALL } from './people.ts';
import { describeRecordings } from './recordings-contract.ts';
import { describeSigningKeys } from './signing-keys-contract.ts';
import { describeWrites } from './writes-contract.ts';

/** A database engine under test. A place is wherever one store is kept: a folder, a schema. */
export interface EngineUnderTest {
  readonly name: string;
  makePlace(): Promise<string>;
  dropPlace(place: string): Promise<void>;
  open(place: string, dialects: readonly DialectIndex[]): Promise<Store>;
  /** Runs plain SQL behind the store's back. */
  execute(place: string, sql: string): Promise<void>;
  /** Every row of every table, and the schema, in an order that is always the same. */
  dump(place: string): Promise<string>;
}

/** A store that is opened before a group's tests and gone after them. */
export interface OpenStore {
  readonly store: Store;
  /** Makes a contact center of its own for a test. */
  contactCenter(timezone?: string): Promise<ContactCenter>;
  /** The same contact center as the next request would see it. */
  again(contactCenter: ContactCenter): Promise<ContactCenter>;
}

/** Opens a store for the tests of the enclosing group. */
export function useStore(engine: EngineUnderTest): OpenStore {
  let place: string | undefined;
  let store: Store | undefined;
  let made = 0;
  const need = (): Store => {
    if (store === undefined) throw new Error('the store is not open');
    return store;
  };
  before(async () => {
    place = await engine.makePlace();
    store = await engine.open(place, ALL);
  });
  after(async () => {
    await store?.close();
    if (place !== undefined) await engine.dropPlace(place);
  });
  return {
    get store() {
      return need();
    },
    contactCenter: (timezone = 'UTC') => {
      made += 1;
      return need().access.createContactCenter(`center-${made}`, timezone, 0);
    },
    again: async ({ name }) => {
      const found = await need().access.findContactCenter(name);
      if (found === null) throw new Error('the contact center is gone');
      return found;
    },
  };
}

/** What every engine must do, said once. */
export function describeStore(engine: EngineUnderTest): void {
  describe(`the store on ${engine.name}`, () => {
    describePages(engine);
    describeOffsets(engine);
    describeWrites(engine);
    describeAccess(engine);
    describeSigningKeys(engine);
    describeFill(engine);
    describeMigrations(engine);
    describeRecordings(engine);
    describeManyRecordings(engine);
    describeLetting(engine);
  });
}

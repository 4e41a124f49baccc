import { after, before, describe } from 'node:test';
import type { StorePlace } from '../../src/store/open.ts';
import { noPostgres, PostgresServer } from '../postgres/server.ts';

/** An engine under a suite that starts servers and commands as a user would. */
export interface StoreUnderTest {
  readonly name: 'SQLite' | 'PostgreSQL';
  /** Where the store of a data folder is: the same one whenever that folder is named. */
  place(data: string): Promise<StorePlace>;
  /** The flags that name a data folder and its store. */
  flags(data: string): Promise<string[]>;
}

function storeUnderTest(name: StoreUnderTest['name'], place: StoreUnderTest['place']): StoreUnderTest {
  return {
    name,
    place,
    async flags(folder) {
      const { data, databaseUrl } = await place(folder);
      return ['--data', data, ...(databaseUrl === undefined ? [] : ['--database-url', databaseUrl])];
    },
  };
}

/** Describes what must be the same on every engine, once for each. */
export function describeOnStores(
  title: string,
  options: { readonly skip?: string | false },
  suite: (store: StoreUnderTest) => void,
): void {
  describe(title, options, () => suite(storeUnderTest('SQLite', async (data) => ({ data }))));

  describe(`${title}, on PostgreSQL`, { skip: options.skip || noPostgres }, () => {
    let server: PostgresServer;
    const urls = new Map<string, Promise<string>>();
    before(async () => {
      server = await PostgresServer.start();
    });
    after(() => server?.stop());
    suite(
      storeUnderTest('PostgreSQL', async (data) => {
        const url = urls.get(data) ?? server.makePlace();
        urls.set(data, url);
        return { data, databaseUrl: await url };
      }),
    );
  });
}

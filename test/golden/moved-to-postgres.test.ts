import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { describeCases } from './describe-cases.ts';

let server: PostgresServer | undefined;

describeCases('golden cases after a copy from SQLite to PostgreSQL', noPostgres, {
  async start() {
    server = await PostgresServer.start();
    return undefined;
  },
  stop: async () => server?.stop(),
  async move(from) {
    if (server === undefined) throw new Error('there is no server');
    const to = { data: from.data, databaseUrl: await server.makePlace() };
    const { copyStore } = await import('../../src/store/moving/copy.ts');
    await copyStore({ data: from.data }, to, Date.now, () => {});
    return to;
  },
});

import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { describeCases } from './describe-cases.ts';

let server: PostgresServer | undefined;

describeCases('golden cases after a copy from PostgreSQL to SQLite', noPostgres, {
  async start() {
    server = await PostgresServer.start();
    return server.makePlace();
  },
  stop: async () => server?.stop(),
  async move(from) {
    const to = { data: from.data };
    const { copyStore } = await import('../../src/store/moving/copy.ts');
    await copyStore(from, to, Date.now, () => {});
    return to;
  },
});

import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { describeCases } from './describe-cases.ts';

let server: PostgresServer | undefined;

describeCases('golden cases on PostgreSQL', noPostgres, {
  async start() {
    server = await PostgresServer.start();
    return server.makePlace();
  },
  stop: async () => server?.stop(),
});

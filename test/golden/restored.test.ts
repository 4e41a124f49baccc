import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { noPostgres, PostgresServer } from '../postgres/server.ts';
import { describeCases } from './describe-cases.ts';

let server: PostgresServer | undefined;

describeCases('golden cases after a backup from SQLite and a restore into PostgreSQL', noPostgres, {
  async start() {
    server = await PostgresServer.start();
    return undefined;
  },
  stop: async () => server?.stop(),
  async move({ data }) {
    if (server === undefined) throw new Error('there is no server');
    const to = { data, databaseUrl: await server.makePlace() };
    const { createBackup } = await import('../../src/store/backup/create.ts');
    const { restoreBackup } = await import('../../src/store/backup/restore.ts');
    const common = { now: Date.now, onShare: () => {}, env: {} };
    const file = join(data, 'backup');
    await createBackup({ data }, file, { ...common, portable: true, version: '0.0.0' });
    await restoreBackup(file, to, { ...common, force: false, dryRun: false });
    await rm(file);
    return to;
  },
});

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { serveJson } from '../acceptance/server-process.ts';
import { freePort, noPostgres, PostgresServer } from '../postgres/server.ts';
import { ask, makeFolder } from './commands.ts';

describe('a server whose workers die while its database is away', { skip: noPostgres }, () => {
  it('has as many as before once the database is back, also where none was left', {
    timeout: 180_000,
  }, async () => {
    const folder = await makeFolder('workers');
    const postgres = await PostgresServer.start();
    const place = ['--data', folder.path, '--database-url', await postgres.makePlace()];
    const server = await serveJson('--workers', '2', '--port', String(await freePort()), ...place);
    const children = async (): Promise<number[]> => {
      const { pid } = server;
      const listed = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
      return listed === '' ? [] : listed.split(' ').map(Number);
    };
    try {
      const before = await children();
      assert.equal(before.length, 2);
      await postgres.crash();
      for (const pid of before) process.kill(pid, 'SIGKILL');
      // Their replacements come to nothing.
      const seen = new Set(before);
      while (seen.size < 5) {
        for (const pid of await children()) seen.add(pid);
        await sleep(20);
      }
      await postgres.resume();
      let well = 0;
      while (well < 20) {
        const status = await ask(server.told.ready).then(
          (answer) => answer.status,
          () => 0,
        );
        well = status === 200 && (await children()).length === 2 ? well + 1 : 0;
        await sleep(50);
      }
      const { code, stderr } = await server.stop();
      assert.equal(code, 0, stderr);
      assert.match(stderr, /"pause":500,.*a worker ended before it served/);
    } finally {
      await server.stop('SIGKILL').catch(() => {});
      await postgres.stop();
      await folder.drop();
    }
  });
});

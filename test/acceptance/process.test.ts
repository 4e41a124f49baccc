import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from './server-process.ts';

const skip = process.platform === 'linux' ? false : 'only Linux shows how a process was started';

test('a server that was started in any way has a small young generation, in the process that was started', {
  skip,
}, async () => {
  const data = await mkdtemp(join(tmpdir(), 'rollcall-process-'));
  const args = [join(ROOT, 'bin/rollcall.js'), 'serve', '--data', data, '--port', '0', '--json'];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  try {
    await once(server.stdout, 'data');
    const words = (await readFile(`/proc/${server.pid}/cmdline`, 'utf8')).split('\0');
    assert.deepEqual(words.slice(1, 3), ['--max-semi-space-size=8', args[0]]);
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  } finally {
    server.kill('SIGKILL');
    await rm(data, { recursive: true });
  }
});

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { v7 as uuidV7 } from 'uuid';
import type { MediaKey } from '../recordings/media.ts';
import { SeparateAudioReader } from './audio.ts';
import { DiskPlace } from './disk.ts';

/** A file of ours as a script imports it. */
const here = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)));

describe('the process that reads audio', () => {
  let folder: string;
  let place: DiskPlace;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rollcall-audio-'));
    place = new DiskPlace(folder);
  });
  after(() => rm(folder, { recursive: true }));

  async function keep(name: string): Promise<{ key: MediaKey; bytes: number }> {
    const key = { contactCenterId: 1, id: uuidV7() };
    const sample = await readFile(join(import.meta.dirname, '../../test/samples', name));
    return { key, bytes: (await place.put(key, Readable.from([sample]))).bytes };
  }

  it('does not charge a file for a time in which the machine stood still', async () => {
    const [longestWork, stop] = [5000, 6000];
    const entry = pathToFileURL(join(folder, 'thoughtful.cjs'));
    // It says what it found a little after the machine runs again: it stood still as well.
    await writeFile(
      entry,
      `process.on('message', ({ size }) => setTimeout(() => {
        process.send({ kind: 'found', facts: { mediaType: 'audio/wav', seconds: 1 } });
      }, size === 8058 ? 0 : ${stop + 700}));
      process.send({ kind: 'ready' });`,
    );
    const thoughtful = new SeparateAudioReader({ entry, longestWork });
    try {
      const first = await keep('mulaw.wav');
      await thoughtful.read(place, first.key, first.bytes);
      const { key, bytes } = await keep('pcm.wav');
      const reading = thoughtful.read(place, key, bytes);
      setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stop), 200);
      assert.equal((await reading).seconds, 1);
    } finally {
      await thoughtful.close();
    }
  });

  for (const [what, onFile] of [
    ['loops without end', 'for (;;);'],
    ['uses all memory', 'const all = []; for (;;) all.push(new Array(1000).fill({}));'],
    ['ends itself', 'process.exit(1)'],
    ['raises an error', 'throw new Error("parser")'],
  ] as const) {
    it(`refuses a file at which the parser ${what}, and goes on`, async () => {
      const pidFile = join(folder, `pid-${uuidV7()}`);
      const script = `process.on('message', ({ size }) => {
        if (size === 8058) process.send({ kind: 'found', facts: { mediaType: 'audio/wav', seconds: 1 } });
        else { require('node:fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); ${onFile} }
      });
      process.send({ kind: 'ready' });`;
      const entry = pathToFileURL(join(folder, 'hostile.cjs'));
      await writeFile(entry, script);
      const longestWork = what === 'loops without end' ? 1000 : 60_000;
      const hostile = new SeparateAudioReader({ entry, longestWork });
      try {
        const good = await keep('mulaw.wav');
        const bad = await keep('pcm.wav');
        await assert.rejects(hostile.read(place, bad.key, bad.bytes), { kind: 'unsupported_media_type' });
        assert.equal((await hostile.read(place, good.key, good.bytes)).seconds, 1);
        const pid = Number(await readFile(pidFile, 'utf8'));
        while (isRunning(pid)) await sleep(10);
      } finally {
        await hostile.close();
      }
    });
  }

  it('ends with the process that started it, however that ends', async () => {
    const entry = pathToFileURL(join(folder, 'entry.mjs'));
    const pidFile = join(folder, 'pid');
    await writeFile(
      entry,
      `import { writeFileSync } from 'node:fs';
       writeFileSync(${JSON.stringify(pidFile)}, String(process.pid));
       await import(${here('audio-process.ts')});`,
    );
    const { key, bytes } = await keep('pcm.wav');
    const script = `
      const { SeparateAudioReader } = await import(${here('audio.ts')});
      const { DiskPlace } = await import(${here('disk.ts')});
      const reader = new SeparateAudioReader({ entry: new URL(${JSON.stringify(entry)}) });
      await reader.read(new DiskPlace(${JSON.stringify(folder)}), ${JSON.stringify(key)}, ${bytes});
      process.stdout.write('read');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const ended = once(parent, 'exit');
    await Promise.race([once(parent.stdout, 'data'), ended]);
    parent.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
    const pid = Number(await readFile(pidFile, 'utf8'));
    while (isRunning(pid)) await sleep(10);
  });

  it('keeps nobody waiting who has nothing more to do', async () => {
    const { key, bytes } = await keep('pcm.wav');
    const script = `
      const { SeparateAudioReader } = await import(${here('audio.ts')});
      const { DiskPlace } = await import(${here('disk.ts')});
      const place = new DiskPlace(${JSON.stringify(folder)});
      const { seconds } = await new SeparateAudioReader({ longestIdle: 3_600_000 }).read(place, ${JSON.stringify(key)}, ${bytes});
      process.stdout.write(String(seconds));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const told = child.stdout.toArray();
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.equal(String(Buffer.concat(await told)), '0.25');
  });
});

/** Whether a process runs. One that has ended stays in the list where nobody asks for its end. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

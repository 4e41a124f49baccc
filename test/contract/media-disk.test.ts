import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { DiskPlace } from '../../src/media/disk.ts';
import type { MediaPlace } from '../../src/recordings/media.ts';
import { describeMediaPlace } from './media-contract.ts';

const folders = new WeakMap<MediaPlace, string>();
const folderOf = (place: MediaPlace) => folders.get(place) ?? assert.fail('a place of this test');

const KEY = { contactCenterId: 3, id: '01a20551-df8e-7717-9a15-ee7b909a215f' };

const DISK = JSON.stringify(join(import.meta.dirname, '../../src/media/disk.ts'));

/** Takes in audio that never ends, and says when some of it is on its way. */
const ENDLESS = `
  import { Readable } from 'node:stream';
  import { DiskPlace } from ${DISK};
  let pieces = 0;
  const endless = new Readable({ read() {
    if (++pieces === 10) process.stdout.write('x');
    setImmediate(() => this.push(Buffer.alloc(1000)));
  } });
  await new DiskPlace(process.argv[1]).put(${JSON.stringify(KEY)}, endless);
`;

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}

describeMediaPlace({
  name: 'a folder',
  async open() {
    const folder = await mkdtemp(join(tmpdir(), 'rollcall-media-'));
    const place = new DiskPlace(folder);
    folders.set(place, folder);
    return place;
  },
  drop: (place) => rm(folderOf(place), { recursive: true }),
  async leaveUnfinished(place) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', ENDLESS, folderOf(place)]);
    const ended = once(child, 'exit');
    await Promise.race([once(child.stdout, 'data'), ended]);
    child.kill('SIGKILL');
    assert.deepEqual(await ended, [null, 'SIGKILL']);
  },
  everything: (place) => filesIn(folderOf(place)),
});

/** Gives a folder to a test and removes it. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-media-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const put = (place: MediaPlace, text: string) => place.put(KEY, Readable.from([Buffer.from(text)]));
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('a folder for audio', () => {
  it('is made when audio comes, readable by its owner alone, fanned out by the last digits', () =>
    withFolder(async (folder) => {
      const root = join(folder, 'new', 'media');
      const place = new DiskPlace(root);
      assert.equal(await place.find(KEY), null);
      assert.deepEqual(await readdir(folder), [], 'opening and looking make nothing');
      await put(place, 'tone');
      const file = join(root, '3', '5f', KEY.id);
      assert.equal(await readFile(file, 'utf8'), 'tone');
      assert.equal(await mode(file), '600');
      await put(place, 'again, now that its folders are there');
      assert.equal(await mode(file), '600');
      for (const made of ['new', 'new/media', 'new/media/3', 'new/media/3/5f', 'new/media/unfinished']) {
        assert.equal(await mode(join(folder, made)), '700', made);
      }
    }));

  it('lists no foreign files', () =>
    withFolder(async (folder) => {
      const place = new DiskPlace(folder);
      await put(place, 'tone');
      await writeFile(join(folder, '3', 'README'), 'x');
      await writeFile(join(folder, '3', '5f', 'notes.txt'), 'x');
      await mkdir(join(folder, '3', 'aa'));
      await writeFile(join(folder, '3', 'aa', KEY.id), 'in the wrong folder');
      await mkdir(join(folder, '3', '5e', KEY.id.replace(/f$/, 'e')), { recursive: true });
      await symlink('/etc/passwd', join(folder, '3', '5f', KEY.id.replace(/^01/, '02')));
      const found = await Array.fromAsync(place.list(3));
      assert.deepEqual(
        found.map(({ key }) => key),
        [KEY],
      );
      for (const name of ['03', '0', '-1', '1e3', 'x']) await mkdir(join(folder, name));
      assert.deepEqual(await Array.fromAsync(place.contactCenters()), [3]);
    }));

  const faults: [what: string, arrange: (folder: string) => Promise<string>, told: RegExp][] = [
    [
      'its name is a file',
      async (folder) => {
        await writeFile(join(folder, 'media'), '');
        return join(folder, 'media');
      },
      /ENOTDIR/,
    ],
    ['nothing can be made there', async () => '/proc/rollcall', /cannot use the media folder/],
  ];
  for (const [what, arrange, told] of faults) {
    it(`is unavailable where ${what}`, () =>
      withFolder(async (folder) => {
        const place = new DiskPlace(await arrange(folder));
        const wanted = { name: 'Failure', kind: 'unavailable', retryAfter: 30, message: told };
        const source = Readable.from([Buffer.from('tone')]);
        await assert.rejects(place.put(KEY, source), wanted);
        assert.ok(source.destroyed);
        await assert.rejects(place.check(), wanted);
      }));
  }

  it('is unavailable while it is full, keeps nothing of what came then, and takes it in again', async (test) => {
    await withFolder(async (folder) => {
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', folder], { stdio: 'ignore' });
      } catch {
        return test.skip('only root may mount a small disk');
      }
      try {
        const place = new DiskPlace(folder);
        await put(place, 'before');
        const large = Readable.from(Array.from({ length: 40 }, () => Buffer.alloc(100_000)));
        await assert.rejects(place.put({ ...KEY, contactCenterId: 4 }, large), {
          kind: 'unavailable',
          retryAfter: 30,
          message: /the disk is full; free some space/,
        });
        assert.ok(large.destroyed);
        assert.deepEqual(await filesIn(folder), [join(folder, '3', '5f', KEY.id)]);
        await put(place, 'after');
        execFileSync('mount', ['-o', 'remount,ro', folder]);
        const told = { kind: 'unavailable', message: /mounted read-only/ };
        await assert.rejects(put(place, 'never'), told);
        await assert.rejects(place.remove(KEY), told);
        await assert.rejects(place.check(), told);
        assert.equal(await readFile(join(folder, '3', '5f', KEY.id), 'utf8'), 'after');
      } finally {
        execFileSync('umount', [folder]);
      }
    });
  });

  it('is unavailable for a moment while too many files are open', () =>
    withFolder(async (folder) => {
      const script = `
        import { openSync, closeSync } from 'node:fs';
        import { Readable } from 'node:stream';
        import { DiskPlace } from ${DISK};
        const place = new DiskPlace(process.argv[1]);
        const put = () => place.put(${JSON.stringify(KEY)}, Readable.from([Buffer.from('tone')]));
        await put();
        const open = [];
        try { for (;;) open.push(openSync('/dev/null')); } catch {}
        const tried = await Promise.allSettled([put(), place.open(${JSON.stringify(KEY)})]);
        for (const fd of open) closeSync(fd);
        const { bytes } = await put();
        process.stdout.write(JSON.stringify([bytes, ...tried.map(({ reason }) => [reason?.kind, reason?.retryAfter])]));
      `;
      const ended = execFileSync('bash', [
        '-c',
        'ulimit -n 60; exec "$@"',
        'bash',
        process.execPath,
        '--input-type=module',
        '-e',
        script,
        folder,
      ]);
      assert.deepEqual(JSON.parse(String(ended)), [4, ['unavailable', 1], ['unavailable', 1]]);
      assert.equal((await filesIn(folder)).length, 1);
    }));

  it('tells audio as kept once file and folders are written through, and not where that fails', (test) =>
    withFolder(async (folder) => {
      const probe = await open(folder, 'r');
      const kind = Object.getPrototypeOf(probe) as FileHandle;
      await probe.close();
      const failAt = async (wanted: number) => {
        let count = 0;
        const { sync } = kind;
        const mock = test.mock.method(kind, 'sync', function (this: FileHandle) {
          return ++count === wanted
            ? Promise.reject(Object.assign(new Error('fsync'), { code: 'EIO' }))
            : sync.call(this);
        });
        const place = new DiskPlace(join(folder, `media${wanted}`));
        const result = await put(place, 'tone').then(
          () => 'kept',
          (error) => `${error.kind}: ${/EIO/.test(error.message)}`,
        );
        mock.mock.restore();
        return { result, count };
      };
      // The file; 3/5f with the file; 3 with 5f; the root with 3. The root's own entry is one more.
      assert.deepEqual(await failAt(1), { result: 'unavailable: true', count: 1 });
      assert.deepEqual(await failAt(2), { result: 'unavailable: true', count: 2 });
      assert.deepEqual(await failAt(3), { result: 'unavailable: true', count: 3 });
      assert.deepEqual(await failAt(4), { result: 'unavailable: true', count: 4 });
      const { result, count } = await failAt(0);
      assert.equal(result, 'kept');
      assert.ok(count >= 5);
    }));
});

import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';

/** A file system of its own that is small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room that there is now; what a process gave back since can be taken by another call. */
  fill(): void;
  /** Gives the room back. */
  free(): void;
  resize(mebibytes: number): void;
  drop(): void;
}

/** For `mount` and `umount`, in milliseconds. */
const LONGEST = 10_000;

function call(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: 'pipe', timeout: LONGEST, killSignal: 'SIGKILL' });
}

const mounted = new Set<string>();
process.on('exit', () => {
  for (const path of mounted) unmount(path);
});

/** Lazily: a process that a failed test left behind may hold it. */
function unmount(path: string): void {
  if (mounted.delete(path)) call('umount', '-l', path);
}

/** Why no file system can be mounted here; false where it can. */
export function whyNoMount(folder: string): string | false {
  try {
    mountDisk(join(folder, 'trial'), 1).drop();
    return false;
  } catch {
    return 'this user may not mount a file system, which a full or read-only disk is made of here';
  }
}

/**
 * Mounts an empty file system in memory. It is gone at `drop`, and when this process ends.
 * @throws Error where that is not allowed
 */
export function mountDisk(path: string, mebibytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  call('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path);
  mounted.add(path);
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      for (;;) {
        const { bavail, bsize } = statfsSync(path);
        if (bavail === 0) return;
        appendFileSync(filler, Buffer.alloc(bavail * bsize));
      }
    },
    free: () => rmSync(filler, { force: true }),
    resize: (size) => call('mount', '-o', `remount,size=${size}m`, path),
    drop: () => unmount(path),
  };
}

/** Sees a folder again at another path, where nothing can be written. Gives what takes it away. */
export function mountReadOnly(folder: string, path: string): () => void {
  mkdirSync(path, { recursive: true });
  call('mount', '--bind', folder, path);
  mounted.add(path);
  call('mount', '-o', 'remount,bind,ro', path);
  return () => unmount(path);
}

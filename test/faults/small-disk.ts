import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, statfsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A file system of its own that is small enough to be filled. */
export interface SmallDisk {
  readonly path: string;
  /** Takes all the room that there is now; what a process gave back since can be taken by another call. */
  fill(): void;
  /** Gives the room back. */
  free(): Promise<void>;
  resize(mebibytes: number): void;
  drop(): void;
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

/** Mounts an empty file system in memory. @throws Error where that is not allowed */
export function mountDisk(path: string, mebibytes: number): SmallDisk {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', path], { stdio: 'pipe' });
  const filler = join(path, 'filler');
  return {
    path,
    fill() {
      const { bavail, bsize } = statfsSync(path);
      appendFileSync(filler, Buffer.alloc(bavail * bsize));
    },
    free: () => rm(filler, { force: true }),
    resize: (size) => {
      execFileSync('mount', ['-o', `remount,size=${size}m`, path], { stdio: 'pipe' });
    },
    // Lazily: a process that a failed test left behind may hold it.
    drop: () => {
      execFileSync('umount', ['-l', path], { stdio: 'pipe' });
    },
  };
}

/** Sees a folder again at another path, where nothing can be written. Gives what takes it away. */
export function mountReadOnly(folder: string, path: string): () => void {
  mkdirSync(path, { recursive: true });
  execFileSync('mount', ['--bind', folder, path], { stdio: 'pipe' });
  execFileSync('mount', ['-o', 'remount,bind,ro', path], { stdio: 'pipe' });
  return () => {
    execFileSync('umount', ['-l', path], { stdio: 'pipe' });
  };
}

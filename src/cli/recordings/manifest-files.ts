import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open, realpath } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { Failure, invalid } from '../../errors.ts';
import type { ManifestFile, ManifestFiles } from '../../recordings/import.ts';
import type { ByteRange } from '../../recordings/media.ts';

const READ_AHEAD = 262_144;
// A pipe would have us wait for whoever writes to it.
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const codeOf = (error: unknown) => (error instanceof Error && 'code' in error ? error.code : '');

/** What a path that cannot be opened is told as. */
function explain(error: unknown): Failure {
  const code = codeOf(error);
  if (code === 'EMFILE' || code === 'ENFILE') {
    return new Failure('unavailable', 'too many files are open; raise the limit (ulimit -n)', {
      cause: error,
    });
  }
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
  return invalid('file', isMissing ? 'is not there' : 'cannot be read; check its permissions');
}

/** A regular file, open until it is closed. @throws Failure invalid, of the field `file` */
export async function openAudioFile(path: string): Promise<ManifestFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, FLAGS);
  } catch (error) {
    throw explain(error);
  }
  const found = await handle.stat();
  if (!found.isFile()) {
    await handle.close();
    throw invalid('file', 'is no regular file');
  }
  const read = ({ first, last }: ByteRange = { first: 0, last: Number.POSITIVE_INFINITY }): Readable =>
    handle.createReadStream({ start: first, end: last, highWaterMark: READ_AHEAD, autoClose: false });
  return {
    bytes: found.size,
    read,
    async sha256() {
      const hash = createHash('sha256');
      for await (const piece of read()) hash.update(piece);
      return hash.digest('hex');
    },
    close: () => handle.close(),
  };
}

/**
 * The files below a folder. A name that leads out of it is refused, by whatever way: an absolute path, dots,
 * or a symbolic link.
 * @throws Failure not_found where there is no such folder
 */
export async function openManifestFiles(folder: string): Promise<ManifestFiles> {
  let root: string;
  try {
    root = await realpath(folder);
  } catch (error) {
    throw new Failure('not_found', 'cannot read the folder that --media names; check its path', {
      cause: error,
    });
  }
  const inside = root.endsWith(sep) ? root : root + sep;
  return {
    async open(name) {
      if (name.includes('\0') || isAbsolute(name)) throw invalid('file', 'must be a path below --media');
      let path: string;
      try {
        path = await realpath(join(root, name));
      } catch (error) {
        throw explain(error);
      }
      if (!path.startsWith(inside)) throw invalid('file', 'must be a path below --media');
      return openAudioFile(path);
    },
  };
}

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Failure } from '../errors.ts';
import { UsageError } from './output.ts';

/** The columns that --map names: the file's name for each, and ours. @throws UsageError */
export function readMap(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.lastIndexOf('=');
      if (at <= 0) throw new UsageError('--map takes "Their Name=field", such as --map "E-Mail=email"');
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** Counts the bytes of a file as they are read. */
export async function openInput(
  file: string,
): Promise<{ chunks: AsyncIterable<Buffer>; size: number | null; read: () => number }> {
  let read = 0;
  const count = async function* (stream: AsyncIterable<Buffer>) {
    for await (const chunk of stream) {
      read += chunk.length;
      yield chunk;
    }
  };
  if (file === '-') return { chunks: count(process.stdin), size: null, read: () => read };
  try {
    const found = await stat(file);
    if (found.isDirectory())
      throw new Failure('invalid', 'the file to import is a folder; name a file in it');
    const chunks = count(createReadStream(file, { highWaterMark: 262_144 }));
    return { chunks, size: found.size, read: () => read };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('not_found', 'cannot read the file to import; check its path and permissions', {
      cause: error,
    });
  }
}

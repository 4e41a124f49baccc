import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { Failure } from '../errors.ts';
import type { ByteRange, MediaFile } from '../recordings/media.ts';

/** Ranges up to this length are read and sent in one go; bytes. */
const IN_ONE_GO = 262_144;
/** How much is read at once of longer ones, twice: one part goes out while the next is read. */
const PART = 131_072;

/** How sending audio ended: `broken off` by whoever listens, as players do when they go on elsewhere. */
export type Ending = 'done' | 'broken off' | 'failed';

function cutOff(): Failure {
  return new Failure(
    'unavailable',
    'audio is shorter than its record says; rollcall recordings sweep tells more',
  );
}

async function readWhole(file: MediaFile, { first, last }: ByteRange): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(last - first + 1);
  for (let at = 0; at < bytes.length; ) {
    const read = await file.read(bytes.subarray(at), first + at);
    if (read === 0) throw cutOff();
    at += read;
  }
  return bytes;
}

/**
 * Sends a range. The two buffers are used again and again: streams make a new one for each part, and fifty
 * players leave a hundred megabytes of them to the garbage collector. Ends early where the client goes away.
 */
async function pump(file: MediaFile, response: ServerResponse, { first, last }: ByteRange): Promise<Ending> {
  let isClosed = false;
  let release = () => {};
  response.once('close', () => {
    isClosed = true;
    release();
  });
  const write = (bytes: Buffer) =>
    new Promise<void>((resolve) => {
      release = resolve;
      response.write(bytes, () => resolve());
    });
  const buffers = [Buffer.allocUnsafeSlow(PART), Buffer.allocUnsafeSlow(PART)] as const;
  let written = Promise.resolve();
  for (let position = first, turn = 0; position <= last && !isClosed; turn = 1 - turn) {
    const buffer = (turn === 0 ? buffers[0] : buffers[1]).subarray(0, last - position + 1);
    const read = await file.read(buffer, position);
    if (read === 0) throw cutOff();
    await written;
    if (isClosed) break;
    written = write(buffer.subarray(0, read));
    position += read;
  }
  await written;
  response.end();
  return isClosed ? 'broken off' : 'done';
}

/**
 * Sends a range of an opened file with the headers that the reply has, and closes the file.
 * @param onEnd told how it ended, once all was read and, of longer ranges, sent; an answer that has begun and
 *   fails ends with its connection
 * @throws Failure unavailable where nothing was sent yet
 */
export async function sendMedia(
  reply: FastifyReply,
  file: MediaFile,
  range: ByteRange,
  onEnd: (how: Ending) => void,
): Promise<Buffer | FastifyReply> {
  if (range.last - range.first < IN_ONE_GO) {
    try {
      const bytes = await readWhole(file, range);
      onEnd('done');
      return bytes;
    } catch (error) {
      onEnd('failed');
      throw error;
    } finally {
      // Whoever asked need not wait for it.
      file.close().catch(() => {});
    }
  }
  const response = reply.hijack().raw;
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) response.setHeader(name, value);
  }
  try {
    response.flushHeaders();
    onEnd(await pump(file, response, range));
  } catch {
    onEnd('failed');
    response.destroy();
  } finally {
    await file.close().catch(() => {});
  }
  return reply;
}

import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { PassThrough, type Readable } from 'node:stream';
import { Busboy, type BusboyHeaders, type BusboyInstance } from '@fastify/busboy';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { JsonObject } from '../directory/user.ts';
import { Failure, invalid } from '../errors.ts';
import { parseJsonObject } from './query.ts';
import { HttpFailure } from './wire-failure.ts';

/** The longest JSON part, and all that is no audio, in bytes. */
const MOST_SAID = 65_536;
const MOST_AROUND = 131_072;

/** How long the rest of a refused upload is read and dropped, so that its sender sees the answer, in milliseconds. */
const LINGER = 5_000;

/** A form of two parts: what is said of the audio, and the audio. */
export interface Upload {
  readonly said: JsonObject;
  /**
   * Ends only once the whole form has come and is as it should be; what is wrong with it is an error of the
   * stream: a Failure or HttpFailure.
   */
  readonly audio: Readable;
}

/**
 * Reads an upload (multipart/form-data, RFC 7578): a part `recording` of JSON, then a part `audio`. Resolves
 * when the audio begins; nothing of it is kept here beyond what one read gives. A Content-Digest (RFC 9530)
 * with sha-256 is held to.
 * @throws HttpFailure unsupported_media_type, malformed, too_large; Failure invalid
 */
export async function readUpload(request: FastifyRequest, mostBytes: number): Promise<Upload> {
  if (Number(request.headers['content-length'] ?? 0) > mostBytes + MOST_AROUND) {
    throw tooLarge(mostBytes);
  }
  const { raw } = request;
  const digest = readDigest(request.headers['content-digest']?.toString());
  const form = openForm(request, mostBytes);
  return new Promise((resolve, reject) => {
    const audio = new PassThrough();
    // It may fail before anybody reads it.
    audio.on('error', () => {});
    let said: JsonObject | null = null;
    let isBegun = false;
    let isOver = false;

    const settle = (error: Error | null): void => {
      if (isOver) return;
      isOver = true;
      raw.unpipe(form);
      raw.off('close', onClose);
      if (error === null) audio.end();
      else {
        audio.destroy(error);
        reject(error);
      }
    };
    const onClose = () => {
      if (!raw.complete) settle(cutOff());
    };

    form.on('field', (name, text, _, isTruncated) => {
      try {
        if (name !== 'recording') throw invalid('recording', 'must be the first part');
        if (isTruncated) throw new Failure('too_large', `recording is longer than ${MOST_SAID} bytes`);
        said = readRecording(text);
      } catch (error) {
        settle(error as Error);
      }
    });
    form.on('file', (name, file) => {
      // An error of the form is one of the file as well, and told there.
      file.on('error', () => {});
      if (said === null || name !== 'audio') {
        file.resume();
        settle(invalid(said === null ? 'recording' : 'audio', 'is missing, or comes in another order'));
        return;
      }
      file.once('limit', () => settle(tooLarge(mostBytes)));
      file.pipe(audio, { end: false });
      isBegun = true;
      resolve({ said, audio });
    });
    for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
      form.on(limit, () => settle(invalid('audio', 'must be the last of two parts')));
    }
    form.on('error', () => settle(cutOff()));
    form.on('finish', () => {
      if (!isBegun) settle(invalid(said === null ? 'recording' : 'audio', 'is missing'));
      else if (digest !== null && digest.hash.digest('base64') !== digest.expected) {
        settle(invalid('contentDigest', 'is not that of what came'));
      } else settle(null);
    });
    // Whoever takes the audio may want no more of it.
    audio.once('close', () => settle(cutOff()));
    raw.once('close', onClose);
    if (digest !== null) raw.on('data', (chunk: Buffer) => digest.hash.update(chunk));
    raw.pipe(form);
  });
}

/** @throws Failure invalid */
function readRecording(text: string): JsonObject {
  try {
    return parseJsonObject(text) as JsonObject;
  } catch (error) {
    if (error instanceof HttpFailure) throw invalid('recording', 'must be a JSON object');
    throw error;
  }
}

function openForm(request: FastifyRequest, mostBytes: number): BusboyInstance {
  if (!/^multipart\/form-data\s*;/i.test(request.headers['content-type'] ?? '')) {
    throw new HttpFailure('unsupported_media_type');
  }
  try {
    return new Busboy({
      headers: request.headers as BusboyHeaders,
      isPartAFile: (name) => name !== 'recording',
      limits: {
        parts: 2,
        fields: 1,
        files: 1,
        fieldSize: MOST_SAID,
        fileSize: mostBytes,
        headerPairs: 20,
        headerSize: 8192,
      },
    });
  } catch {
    // There is no boundary.
    throw new HttpFailure('malformed');
  }
}

const cutOff = () => new HttpFailure('malformed');
const tooLarge = (most: number) => new Failure('too_large', `the audio is longer than ${most} bytes`);

interface Digest {
  readonly hash: Hash;
  /** Base64. */
  readonly expected: string;
}

/** The sha-256 of a Content-Digest; null where there is none. Other algorithms are passed over. @throws Failure invalid */
function readDigest(header: string | undefined): Digest | null {
  if (header === undefined) return null;
  const [, expected] = /(?:^|,)\s*sha-256=([^,]*)/.exec(header) ?? [];
  if (expected === undefined) return null;
  const text = /^:([A-Za-z0-9+/]{43}=):\s*$/.exec(expected)?.[1];
  if (text === undefined)
    throw invalid('contentDigest', 'must have sha-256 as 32 bytes in base64 between colons');
  return { hash: createHash('sha256'), expected: text };
}

/**
 * For an answer that goes out before all of the request has come: what is left is read and dropped for a
 * while, as many clients look at an answer only once they have sent everything; then the connection ends.
 */
export function dropRest(raw: IncomingMessage, reply: FastifyReply): void {
  if (raw.complete || raw.destroyed) return;
  raw.resume();
  reply.raw.once('finish', () => {
    const timer = setTimeout(() => raw.destroy(), LINGER).unref();
    raw.once('close', () => clearTimeout(timer));
    raw.once('end', () => clearTimeout(timer));
  });
}

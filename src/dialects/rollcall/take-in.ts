import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import { Failure, invalid } from '../../errors.ts';
import { toAnswer } from '../../http/answers.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { baseOf } from '../../http/recording-links.ts';
import { dropRest, readUpload } from '../../http/uploads.ts';
import { encodeRecording } from '../../recordings/native.ts';
import { readSaid } from '../../recordings/said.ts';
import type { TakenIn } from '../../recordings/take-in.ts';
import { PATH, secretOf } from './recordings.ts';
import { describeTakeIn } from './schemas.ts';

/** As long as Stripe's. */
const MOST_KEY = 255;

/** POST /v1/recordings: takes a recording in. */
export function takeInRecording(deps: DialectDeps): Endpoint {
  // Keys of requests that are under way in this process, by contact center.
  const underWay = new Set<string>();
  return {
    operation: 'rollcall.recordings.add',
    methods: ['POST'],
    paths: [PATH],
    scope: 'recordings:write',
    isUpload: true,
    schema: describeTakeIn,
    secretOf,
    answer: async (request, reply, access) => {
      try {
        const key = readKey(request);
        const { recording, isNew } = await alone(underWay, access, key, () =>
          take(deps, request, access, key),
        );
        // Stripe's name for it.
        if (!isNew) reply.header('idempotent-replayed', 'true');
        const location = `${baseOf(request, deps.publicUrl)}/rollcall${PATH}/${recording.number}`;
        reply.code(201).header('location', location);
        return toAnswer(JSON.stringify(encodeRecording(recording)));
      } catch (error) {
        dropRest(request.raw, reply);
        throw error;
      }
    },
  };
}

/** The Idempotency-Key, null where there is none. @throws Failure invalid */
function readKey(request: FastifyRequest): string | null {
  const key = request.headers['idempotency-key']?.toString();
  if (key === undefined) return null;
  if (key === '' || key.length > MOST_KEY) {
    throw invalid('idempotencyKey', `must have 1 to ${MOST_KEY} characters`);
  }
  return key;
}

/** Does a work unless one with the same key is under way. @throws Failure conflict */
async function alone<T>(
  underWay: Set<string>,
  { contactCenter }: Access,
  key: string | null,
  work: () => Promise<T>,
): Promise<T> {
  if (key === null) return work();
  const name = `${contactCenter.id} ${key}`;
  if (underWay.has(name)) {
    throw new Failure('conflict', 'a request with this Idempotency-Key is under way; try again in a moment');
  }
  underWay.add(name);
  try {
    return await work();
  } finally {
    underWay.delete(name);
  }
}

async function take(
  deps: DialectDeps,
  request: FastifyRequest,
  { contactCenter, token }: Access,
  key: string | null,
): Promise<TakenIn> {
  const { said, audio } = await readUpload(request, deps.mostUpload);
  try {
    const { users } = deps;
    const taken = await deps.takeIn(contactCenter, {
      ...(await readSaid(contactCenter, said, { users, now: deps.now() })),
      idempotencyKey: key,
      actor: { kind: 'token', tokenId: token.id },
      open: () => audio,
    });
    if (!taken.isNew) await compare(audio, taken.sha256);
    return taken;
  } finally {
    audio.destroy();
  }
}

/** Holds a request that came again to the audio that it brought the first time. @throws Failure conflict */
async function compare(audio: Readable, sha256: string | null): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of audio) hash.update(chunk);
  if (sha256 !== null && hash.digest('hex') !== sha256) {
    throw new Failure('conflict', 'this Idempotency-Key was used with other audio; take a new one');
  }
}

import type { FastifyRequest } from 'fastify';
import type { ContactCenter } from '../../access/contact-center.ts';
import { Failure } from '../../errors.ts';
import { toAnswer } from '../../http/answers.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { bearerSecret, type Query } from '../../http/query.ts';
import { baseOf, type Links, openLinks } from '../../http/recording-links.ts';
import { encodeRecording } from '../../recordings/native.ts';
import type { Recording } from '../../recordings/recording.ts';
import { isPastRetention } from '../../recordings/retention.ts';
import { decodeList, decodeNumber, encodeCursor } from './parameters.ts';
import { describeDelete, describeGet, describeList } from './schemas.ts';

/** Where recordings are, under the prefix. */
export const PATH = '/v1/recordings';

/** The secret: a bearer header. */
export const secretOf = (request: FastifyRequest): string | undefined =>
  bearerSecret(request.headers.authorization);

const noRecording = () => new Failure('not_found', 'there is no recording of that number');

/** One recording, with links to its audio where it can be played. */
function show(recording: Recording, contactCenter: ContactCenter, links: Links, now: number) {
  const isPlayable =
    (recording.state === 'stored' || recording.state === 'archived') &&
    !isPastRetention(contactCenter, recording, now);
  return {
    ...encodeRecording(recording),
    links: isPlayable
      ? {
          play: links.link(recording),
          download: links.link(recording, 'attachment'),
          expiresAt: new Date(links.expiresAt).toISOString(),
        }
      : null,
  };
}

/** GET /v1/recordings. */
export function listRecordings(deps: DialectDeps): Endpoint {
  return {
    operation: 'rollcall.recordings.list',
    methods: ['GET'],
    paths: [PATH],
    scope: 'recordings:read',
    schema: describeList,
    secretOf,
    answer: async (request, reply, access) => {
      const { contactCenter } = access;
      const query = await decodeList(request, contactCenter, deps.users);
      const links = await openLinks(deps, request, access);
      const { recordings, hasMore } = await deps.recordings.page(contactCenter, query);
      const last = recordings.at(-1);
      const cursor = hasMore && last !== undefined ? encodeCursor(last) : null;
      if (cursor !== null) reply.header('link', nextLink(request, deps.publicUrl, cursor));
      const now = deps.now();
      return toAnswer(
        JSON.stringify({
          recordings: recordings.map((recording) => show(recording, contactCenter, links, now)),
          nextCursor: cursor,
        }),
      );
    },
  };
}

/** The next page as a web link (RFC 8288): the same question behind a cursor. */
function nextLink(request: FastifyRequest, publicUrl: string | null, cursor: string): string {
  const next = new URLSearchParams();
  for (const [name, value] of Object.entries(request.query as Query)) {
    if (name !== 'cursor') for (const each of [value ?? []].flat()) next.append(name, each);
  }
  next.append('cursor', cursor);
  return `<${baseOf(request, publicUrl)}/rollcall${PATH}?${next}>; rel="next"`;
}

/** GET /v1/recordings/{number}. */
export function getRecording(deps: DialectDeps): Endpoint {
  return {
    operation: 'rollcall.recordings.get',
    methods: ['GET'],
    paths: [`${PATH}/:number`],
    scope: 'recordings:read',
    schema: describeGet,
    secretOf,
    answer: async (request, _reply, access) => {
      const { contactCenter } = access;
      const number = decodeNumber(request);
      const recording = number === null ? null : await deps.recordings.find(contactCenter, number);
      if (recording === null) throw noRecording();
      const links = await openLinks(deps, request, access);
      return toAnswer(JSON.stringify(show(recording, contactCenter, links, deps.now())));
    },
  };
}

/** DELETE /v1/recordings/{number}: lets it go at once. */
export function deleteRecording(deps: DialectDeps): Endpoint {
  return {
    operation: 'rollcall.recordings.delete',
    methods: ['DELETE'],
    paths: [`${PATH}/:number`],
    scope: 'recordings:write',
    schema: describeDelete,
    secretOf,
    answer: async (request, reply, { contactCenter, token }) => {
      const number = decodeNumber(request);
      if (number === null) throw noRecording();
      await deps.deleteRecording(contactCenter, number, { kind: 'token', tokenId: token.id });
      return reply.code(204).send();
    },
  };
}

import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { MEDIA_TYPES } from '../recordings/recording.ts';
import { describeProblems } from './described-failures.ts';

const audio = Object.fromEntries(
  Object.keys(MEDIA_TYPES).map((type) => [type, { schema: { type: 'string', format: 'binary' } }]),
);
const text = (description: string) => Type.Optional(Type.String({ description }));

/** How OpenAPI describes the audio behind a link. */
export function describeMedia(): FastifySchema {
  return {
    tags: ['Recordings'],
    operationId: 'rollcall.media',
    summary: 'Play or download a recording',
    description:
      'The link comes with an answer that lists recordings, and is used as it is; it needs no token. Ranges, If-Range, If-Match and If-None-Match are those of RFC 9110.',
    security: [],
    params: Type.Object({ contactCenterId: Type.Integer(), number: Type.Integer() }),
    querystring: Type.Object({
      expires: Type.Integer({ description: 'Seconds since 1970 UTC' }),
      revocations: Type.Integer(),
      token: Type.String(),
      as: Type.Union([Type.Literal('inline'), Type.Literal('attachment')]),
      key: Type.String(),
      signature: Type.String(),
    }),
    headers: Type.Object({ range: text('Such as bytes=0-65535'), 'if-none-match': text('An entity tag') }),
    response: {
      200: { description: 'All of it', content: audio },
      206: { description: 'The range that was asked for', content: audio },
      302: { description: 'It is fetched from the storage itself', type: 'null' },
      304: { description: 'The copy that the client has is good', type: 'null' },
      ...describeProblems({
        403: 'The link does not open this, or does not any more',
        404: 'The audio has not come in yet',
        405: 'Another method than GET and HEAD',
        412: 'If-Match names other audio',
        413: 'A body over 1 MiB',
        416: 'The range lies behind the end',
        429: 'Too many requests',
        431: 'A header block over 16 KiB',
        500: 'A bug',
        503: 'The store or the audio cannot be read now',
      }),
    },
  } as FastifySchema;
}

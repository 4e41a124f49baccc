import type { FastifySchema } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { describeTokenProblems } from '../../http/described-failures.ts';
import { DIRECTIONS, MEDIA_TYPES, STATES } from '../../recordings/recording.ts';

const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const words = (all: readonly string[]) => Type.Union(all.map((word) => Type.Literal(word)));
const instant = Type.String({ format: 'date-time' });
const time = (description: string) =>
  Type.Optional(Type.String({ description: `${description}; without a zone it is in the contact center's` }));

const recording = {
  number: Type.Integer(),
  id: Type.String({ format: 'uuid' }),
  userNumber: nullable(Type.Integer()),
  leadId: nullable(Type.Integer()),
  callId: nullable(Type.String()),
  direction: nullable(words(DIRECTIONS)),
  remoteNumber: nullable(Type.String()),
  startedAt: nullable(instant),
  endedAt: nullable(instant),
  seconds: nullable(Type.Integer()),
  mediaType: nullable(words(Object.keys(MEDIA_TYPES))),
  bytes: nullable(Type.Integer()),
  sha256: nullable(Type.String()),
  state: words(STATES),
  legalHold: Type.Boolean(),
  keepUntil: nullable(instant),
  createdAt: instant,
};
const shown = Type.Object({
  ...recording,
  links: nullable(
    Type.Object({
      play: Type.String({ format: 'uri' }),
      download: Type.String({ format: 'uri' }),
      expiresAt: instant,
    }),
  ),
});

const said = Type.Object({
  user: Type.Optional(Type.String({ description: 'Email or login id; or userNumber' })),
  userNumber: Type.Optional(Type.Integer({ minimum: 1 })),
  startedAt: Type.String({ description: "Without a zone it is in the contact center's" }),
  endedAt: time('When the call ended'),
  seconds: Type.Optional(Type.Integer({ minimum: 0, description: 'Read from the audio where it is absent' })),
  leadId: Type.Optional(Type.Integer({ minimum: 1 })),
  callId: Type.Optional(Type.String({ maxLength: 255 })),
  direction: Type.Optional(words(DIRECTIONS)),
  remoteNumber: Type.Optional(Type.String({ maxLength: 64 })),
  keepUntil: time('When it is to be let go; else the retention of the contact center decides'),
  keepDays: Type.Optional(Type.Integer({ minimum: 1 })),
  legalHold: Type.Optional(Type.Boolean()),
  bytes: Type.Optional(Type.Integer({ minimum: 1, description: 'Size of the audio, which is held to it' })),
  sha256: Type.Optional(Type.String({ description: 'Of the audio, in hexadecimal; it is held to it' })),
});

const COMMON = { tags: ['Recordings'], security: [{ bearer: [] }] };
const NUMBER = Type.Object({ number: Type.Integer({ minimum: 1 }) });
const listOf = (description: string) => Type.Optional(Type.String({ description }));

/** How OpenAPI describes the list of recordings. */
export const describeList = (): FastifySchema =>
  ({
    ...COMMON,
    operationId: 'rollcall.recordings.list',
    summary: 'List recordings by start',
    description: 'A Link header (RFC 8288) with rel="next" leads to the next page, where there is one.',
    querystring: Type.Object({
      user: listOf('Comma list of emails or login ids'),
      userNumber: listOf("Comma list of users' own numbers"),
      leadId: Type.Optional(Type.Integer({ minimum: 0 })),
      from: time('The first start of a call'),
      to: time('The last start of a call'),
      state: listOf(`Comma list of ${STATES.join(', ')}; all but purged where it is absent`),
      minSeconds: Type.Optional(Type.Integer({ minimum: 0 })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 50 })),
      cursor: Type.Optional(Type.String({ description: 'As the answer before gave it' })),
    }),
    response: {
      200: Type.Object({ recordings: Type.Array(shown), nextCursor: nullable(Type.String()) }),
      ...describeTokenProblems({ 400: 'A parameter is bad; errors tells which and why' }),
    },
  }) as FastifySchema;

/** How OpenAPI describes one recording. */
export const describeGet = (): FastifySchema =>
  ({
    ...COMMON,
    operationId: 'rollcall.recordings.get',
    summary: 'Show a recording',
    description:
      'One that was let go is shown as a tombstone: its state is purged, and nothing of the call is left.',
    params: NUMBER,
    response: { 200: shown, ...describeTokenProblems({ 404: 'There is none of that number' }) },
  }) as FastifySchema;

/** How OpenAPI describes letting a recording go. */
export const describeDelete = (): FastifySchema =>
  ({
    ...COMMON,
    operationId: 'rollcall.recordings.delete',
    summary: 'Let a recording go at once',
    description: 'Its audio and all that tells of people is removed; its number stays as a tombstone.',
    params: NUMBER,
    response: {
      204: { description: 'It is gone, or was before', type: 'null' },
      ...describeTokenProblems({ 404: 'There is none of that number', 409: 'It is under legal hold' }),
    },
  }) as FastifySchema;

/** How OpenAPI describes taking a recording in. */
export const describeTakeIn = (): FastifySchema =>
  ({
    ...COMMON,
    operationId: 'rollcall.recordings.add',
    summary: 'Take a recording in',
    description:
      'A form of two parts: `recording`, a JSON object, then `audio`: wav, mp3, ogg, m4a or flac, told by its content. It is answered once both are kept for good. With an Idempotency-Key it may be sent again until it is answered: it is taken in once. A Content-Digest (RFC 9530) is held to.',
    consumes: ['multipart/form-data'],
    headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ maxLength: 255 })) }),
    body: Type.Object({ recording: said, audio: Type.String({ format: 'binary' }) }),
    response: {
      201: Type.Object(recording),
      ...describeTokenProblems({
        400: 'Something of it is bad, or it was cut off; nothing was kept',
        409: 'The Idempotency-Key is in use, or was used for something else',
        413: 'The audio is too long',
        415: 'It is no audio of a known type, or no form',
        503: 'It could not be kept; send it again with the same Idempotency-Key',
      }),
    },
  }) as FastifySchema;

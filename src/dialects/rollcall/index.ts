import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WireFormat } from '../../http/dialect.ts';
import { HttpFailure } from '../../http/wire-failure.ts';
import { encodeFailure } from './errors.ts';
import { deleteRecording, getRecording, listRecordings } from './recordings.ts';
import { takeInRecording } from './take-in.ts';

/** Our own API: what no vendor's has. */
export const rollcall: WireFormat = {
  name: 'rollcall',
  title: 'Rollcall',
  isAtRoot: false,
  encodeFailure,
  endpoints: (deps) => [
    takeInRecording(deps),
    listRecordings(deps),
    getRecording(deps),
    deleteRecording(deps),
  ],
  parsers: addParsers,
  samples: ({ recording }) => [
    {
      title: "Rollcall's own API, recordings of at least 2 seconds",
      method: 'GET',
      path: '/rollcall/v1/recordings?minSeconds=2&limit=5',
      headers: { authorization: 'Bearer TOKEN' },
    },
    ...(recording === null
      ? []
      : [
          {
            title: 'the audio of a recording, by its link',
            method: 'GET' as const,
            path: recording.link,
            output: 'recording.wav',
          },
        ]),
  ],
};

/** An upload is read by its endpoint as it comes. Requests without a body may name a type all the same. */
function addParsers(app: FastifyInstance): void {
  app.addContentTypeParser('multipart/form-data', (_, __, done) => done(null));
  app.addContentTypeParser(
    '*',
    { parseAs: 'buffer' },
    async (request: FastifyRequest, body: string | Buffer) => {
      if (request.method === 'POST' && body.length > 0) throw new HttpFailure('unsupported_media_type');
      return undefined;
    },
  );
}

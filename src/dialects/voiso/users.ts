import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import type { Listed } from '../../directory/query.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { bearerSecret, type Query } from '../../http/query.ts';
import { JSON_TYPE } from '../../http/send-json.ts';
import { decodeList, type ListParameters } from './parameters.ts';
import { describeUsers } from './schemas.ts';
import { encodeUser, FIELDS } from './user.ts';

/** Users read at once while the directory is streamed. */
const CHUNK = 100;

/** GET /user_management/v1/users and its /api form. */
export function listUsers(deps: DialectDeps): Endpoint {
  return {
    operation: 'voiso.users.list',
    methods: ['GET'],
    paths: ['/user_management/v1/users', '/api/user_management/v1/users'],
    scope: 'users:read',
    isRepeatable: true,
    schema: describeUsers,
    secretOf: (request: FastifyRequest) => bearerSecret(request.headers.authorization),
    answer: async (request: FastifyRequest, reply: FastifyReply, { contactCenter }: Access) => {
      const parameters = decodeList(request.query as Query);
      const question = ['voiso', JSON.stringify(parameters)];
      const known = deps.answers.peek(contactCenter, question);
      if (known !== undefined) return known;
      const pages = readPages(deps, contactCenter, parameters);
      // The first page is read before anything is sent: a store that fails still gives its own answer.
      const first = await pages.next();
      const users = first.done === true ? [] : first.value.users;
      if (first.done === true || first.value.isLast) {
        return deps.answers.keep(contactCenter, question, JSON.stringify(users.map(encodeUser)));
      }
      const count = (bytes: number) => {
        request.streamedBytes += bytes;
      };
      // The rest of a directory is not read for an answer without a body.
      const body = request.method === 'HEAD' ? [] : writeArray(users, pages, count);
      reply.header('content-type', JSON_TYPE);
      return Readable.from(body, { objectMode: false, highWaterMark: 65_536 });
    },
  };
}

interface Chunk {
  readonly users: Listed<(typeof FIELDS)[number]>[];
  readonly isLast: boolean;
}

async function* readPages(
  deps: DialectDeps,
  contactCenter: Access['contactCenter'],
  { match, offset, limit }: ListParameters,
): AsyncGenerator<Chunk> {
  let after = 0;
  let skip = offset;
  for (;;) {
    const { users, hasMore } = await deps.users.page(contactCenter, {
      dialect: 'voiso',
      match,
      after,
      offset: skip,
      limit: limit ?? CHUNK,
      count: 'none',
      fields: FIELDS,
    });
    const isLast = limit !== null || !hasMore;
    yield { users, isLast };
    if (isLast) return;
    after = users.at(-1)?.dialectNumber ?? after;
    skip = 0;
  }
}

async function* writeArray(
  first: Chunk['users'],
  rest: AsyncIterable<Chunk>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  const encode = (users: Chunk['users'], head: string): Buffer => {
    const text = users.map((user) => JSON.stringify(encodeUser(user))).join();
    const chunk = Buffer.from(text === '' ? '' : head + text);
    count(chunk.length);
    return chunk;
  };
  yield encode(first, '[');
  for await (const { users } of rest) yield encode(users, ',');
  count(1);
  yield Buffer.from(']');
}

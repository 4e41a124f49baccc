import type { FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import type { Match } from '../../directory/query.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { bearerSecret, type Query } from '../../http/query.ts';
import { decodeList } from './parameters.ts';
import { describeUsers } from './schemas.ts';
import { encodeUser, FIELDS, type SmartfloUser } from './user.ts';

const ENCODING = {
  name: 'list',
  fields: FIELDS,
  encode: (user: SmartfloUser) => JSON.stringify(encodeUser(user)),
};

/** GET /v1/users. */
export function listUsers(deps: DialectDeps): Endpoint {
  return {
    operation: 'smartflo.users.list',
    methods: ['GET'],
    paths: ['/v1/users'],
    scope: 'users:read',
    isRepeatable: true,
    schema: describeUsers,
    secretOf: (request: FastifyRequest) => bearerSecret(request.headers.authorization, true),
    answer: async (request: FastifyRequest, _reply, { contactCenter }: Access) => {
      const { after, limit, flags } = decodeList(request.query as Query);
      const question = ['smartflo', after, limit, ...Object.entries(flags).flat().map(String)];
      return deps.answers.find(contactCenter, question, async () => {
        const match: Match =
          Object.keys(flags).length === 0 ? { kind: 'everyone' } : { kind: 'flagged', flags };
        const query = { dialect: 'smartflo', match, after, limit, count: 'none' } as const;
        const { users, hasMore } = await deps.encoded.page(contactCenter, query, ENCODING);
        const last = users.at(-1)?.number ?? null;
        const data = users.map(({ text }) => text).join();
        return `{"has_more":${hasMore},"count":${users.length},"last_seen_id":${last},"data":[${data}]}`;
      });
    },
  };
}

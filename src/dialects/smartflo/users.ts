import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { bearerSecret, type Query } from '../../http/query.ts';
import { sendJson } from '../../http/send-json.ts';
import { decodeList } from './parameters.ts';
import { describeUsers } from './schemas.ts';
import { encodeUser, FIELDS } from './user.ts';

/** GET /v1/users. */
export function listUsers(deps: DialectDeps): Endpoint {
  return {
    operation: 'smartflo.users.list',
    methods: ['GET'],
    paths: ['/v1/users'],
    scope: 'users:read',
    schema: describeUsers,
    secretOf: (request: FastifyRequest) => bearerSecret(request.headers.authorization, true),
    answer: async (request: FastifyRequest, reply: FastifyReply, { contactCenter }: Access) => {
      const { after, limit, flags } = decodeList(request.query as Query);
      const question = ['smartflo', after, limit, ...Object.entries(flags).flat().map(String)];
      const answer = await deps.answers.find(contactCenter, question, async () => {
        const { users, hasMore } = await deps.users.page(contactCenter, {
          dialect: 'smartflo',
          match: Object.keys(flags).length === 0 ? { kind: 'everyone' } : { kind: 'flagged', flags },
          after,
          limit,
          count: 'none',
          fields: FIELDS,
        });
        return JSON.stringify({
          has_more: hasMore,
          count: users.length,
          last_seen_id: users.at(-1)?.dialectNumber ?? null,
          data: users.map(encodeUser),
        });
      });
      return sendJson(reply, answer);
    },
  };
}

import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';

const parameters = {
  auth_token: Type.Optional(Type.String({ description: 'The token; also taken as `Authorization: Bearer`' })),
  user: Type.Optional(
    Type.String({
      description:
        'Comma list of at most 500 emails, first names, last names, "first last" or ids. Required in the official profile',
    }),
  ),
  offset: Type.Optional(Type.Integer({ minimum: 0, default: 0 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, default: 20, description: 'Over 1000 counts as 1000' })),
};

const oneOrZero = Type.Union([Type.Literal('1'), Type.Literal('0')]);

const officialUser = Type.Object({
  id: Type.Integer(),
  acl_access_profile: Type.Integer(),
  email: Type.String(),
  first_name: Type.String(),
  last_name: Type.String(),
  user_level: Type.Integer({ minimum: 1, maximum: 4 }),
  queue_override: Type.String(),
  allow_queue_selection: oneOrZero,
  allow_callbacks: oneOrZero,
  callback_types_allowed: Type.String(),
  allow_transfers: oneOrZero,
  default_blended_selection: oneOrZero,
  alter_custdata_override: Type.String(),
  status: Type.String(),
  local_gmt: Type.String(),
  allow_blended_campaign: oneOrZero,
  notification: oneOrZero,
  created_at: Type.String(),
  connection_type: Type.String(),
  extension: Type.Array(Type.Integer()),
  last_login: Type.Union([Type.String(), Type.Null()]),
});

const communityUser = Type.Object({
  id: Type.String(),
  acl_access_profile: Type.String(),
  email: Type.String(),
  first_name: Type.String(),
  last_name: Type.String(),
  user_level: Type.String(),
  queue_override: Type.String(),
  allow_queue_selection: Type.Boolean(),
  allow_callbacks: Type.Boolean(),
  callback_types_allowed: Type.String(),
  allow_transfers: Type.Boolean(),
  status: Type.String(),
  local_gmt: Type.String(),
  connection_type: Type.String(),
  extension: Type.Array(Type.String()),
  last_login: Type.Union([Type.String(), Type.Null()]),
});

const failure = Type.Object({
  success: Type.Literal(false),
  code: Type.Integer(),
  text: Type.String(),
  error: Type.String(),
});

const official = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    offset: Type.Integer(),
    limit: Type.String(),
    total: Type.String(),
    results: Type.Record(Type.String(), officialUser),
  }),
});

/** How OpenAPI describes users/search, by method. */
export function describeSearch(method: 'GET' | 'POST'): FastifySchema {
  const answer = method === 'GET' ? official : Type.Array(communityUser);
  return {
    tags: ['Convoso'],
    operationId: `convoso.users.search.${method.toLowerCase()}`,
    summary: method === 'GET' ? 'Search users (official shape)' : 'Search users (community shape)',
    description:
      'Parameters may come in the query, in a form body or in a JSON body. Bad parameters are answered with status 200 and a code.',
    ...(method === 'GET'
      ? { querystring: Type.Object(parameters), security: [{ convosoToken: [] }, { bearer: [] }] }
      : {
          body: Type.Object(parameters),
          consumes: ['application/x-www-form-urlencoded', 'application/json'],
          security: [{ bearer: [] }],
        }),
    response: {
      200: Type.Union([answer, failure]),
      401: failure,
      403: failure,
      429: failure,
    },
  } as FastifySchema;
}

import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { describeFailures } from '../../http/described-failures.ts';

const user = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  agent: Type.Union([
    Type.Object({
      id: Type.String(),
      name: Type.String(),
      status: Type.Integer({ minimum: 0, maximum: 4 }),
      follow_me_number: Type.Union([Type.String(), Type.Null()]),
    }),
    Type.Null(),
  ]),
  login_id: Type.String(),
  is_login_based_calling_enabled: Type.Boolean(),
  is_international_outbound_enabled: Type.Boolean(),
  user_role: Type.Object({ id: Type.Integer(), name: Type.String() }),
  extension: Type.Union([Type.String(), Type.Null()]),
  user_status: Type.Integer({ minimum: 0, maximum: 1 }),
});

const failure = Type.Object({ success: Type.Literal(false), message: Type.String() });
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

/** How OpenAPI describes the list. */
export function describeUsers(): FastifySchema {
  return {
    tags: ['Smartflo'],
    operationId: 'smartflo.users.list',
    summary: 'Fetch multiple users',
    description: 'Keyset paging: send the last_seen_id of one page to get the next, while has_more is true.',
    security: [{ bearer: [] }],
    querystring: Type.Object({
      last_seen_id: Type.Optional(Type.Integer({ minimum: 0, maximum: 2147483647 })),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, default: 20, description: 'Over 1000 counts as 1000' }),
      ),
      is_extension_created: flag('With or without an extension'),
      is_login_based_calling: flag('Login based calling enabled or disabled'),
      is_international_calling: flag('International calling enabled or disabled'),
      is_web_login: flag('Web login enabled or disabled'),
      user_status: flag('User enabled or disabled'),
    }),
    response: {
      200: Type.Object({
        has_more: Type.Boolean(),
        count: Type.Integer(),
        last_seen_id: Type.Union([Type.Integer(), Type.Null()]),
        data: Type.Array(user),
      }),
      ...describeFailures(failure),
      400: Type.Object({
        success: Type.Literal(false),
        message: Type.String(),
        // Left out where the request itself could not be read.
        errors: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
      }),
      429: Type.Object({ success: Type.Literal('false'), message: Type.String() }),
    },
  };
}

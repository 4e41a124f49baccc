import type { FastifySchema } from 'fastify';
import { Type } from 'typebox';
import { describeFailures } from '../../http/described-failures.ts';

const nullable = Type.Union([Type.String(), Type.Null()]);

const user = Type.Object({
  id: Type.Integer(),
  name: Type.String(),
  email: Type.String(),
  sip_account: nullable,
  sag: Type.String(),
  extension: nullable,
  caller_id: nullable,
  timezone: Type.String(),
  webrtc_ringtone: nullable,
  assigned_teams: Type.String(),
  supervisor_in_teams: Type.String(),
  assigned_skills: Type.Array(
    Type.Object({ name: Type.String(), value: Type.Integer({ minimum: 1, maximum: 10 }) }),
  ),
  assigned_queues: Type.String(),
  employee_id: nullable,
  assigned_channels: Type.Array(
    Type.Object({
      type: Type.String(),
      name: Type.String(),
      value: Type.Union([Type.Integer(), Type.Null()]),
    }),
  ),
});

const error = Type.Object({ error: Type.String() });
const text = (description: string) => Type.Optional(Type.String({ description }));

/** How OpenAPI describes the list. */
export function describeUsers(): FastifySchema {
  return {
    tags: ['Voiso'],
    operationId: 'voiso.users.list',
    summary: 'List users',
    description: 'Filters are exact, case-blind and joined by AND; an empty one counts as not sent.',
    security: [{ bearer: [] }],
    querystring: Type.Object({
      id: Type.Optional(Type.Integer()),
      name: text('Shown name'),
      email: text('Email'),
      sip_account: text('SIP account'),
      sag: text('Role name'),
      extension: text("Any of the user's extensions"),
      caller_id: text('Caller ID group'),
      timezone: text('City form or IANA name'),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
      offset: Type.Optional(Type.Integer({ minimum: 0 })),
    }),
    response: {
      200: Type.Array(user),
      ...describeFailures(error),
      422: Type.Object({ errors: Type.Record(Type.String(), Type.Array(Type.String())) }),
    },
  };
}

import type { FastifySchema } from 'fastify';
import { type TProperties, type TSchema, Type } from 'typebox';
import { describeFailures } from '../../http/described-failures.ts';
import type { Method } from '../../http/dialect.ts';

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

const time = (description: string) =>
  Type.Optional(
    Type.String({ description: `${description}: YYYY-MM-DD HH:MM:SS, in the contact center's zone` }),
  );

const listParameters = {
  auth_token: parameters.auth_token,
  start_time: time('The first start of a call'),
  end_time: time('The last start of a call'),
  offset: parameters.offset,
};

const userRecordingParameters = {
  ...listParameters,
  user: Type.Optional(
    Type.String({ description: 'Comma list of at most 500 emails, names or ids, as in users/search' }),
  ),
  limit: parameters.limit,
};

const leadRecordingParameters = {
  ...listParameters,
  lead_id: Type.Optional(Type.Integer({ minimum: 0, description: 'Required' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, default: 10, description: 'Over 100 counts as 100' })),
};

const recordingOf = <Id extends TSchema>(id: Id) =>
  Type.Object({
    recording_id: id,
    lead_id: Type.Union([id, Type.Null()]),
    start_time: Type.String(),
    end_time: Type.String({ description: 'Empty while it is not known' }),
    seconds: Type.Union([Type.Integer(), Type.Null()]),
    url: Type.String({ format: 'uri', description: 'Signed; plays the recording until it expires' }),
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

const officialRecordings = Type.Object({
  success: Type.Literal(true),
  data: Type.Object({
    offset: Type.Integer(),
    limit: Type.Integer(),
    total: Type.Integer(),
    entries: Type.Array(recordingOf(Type.Integer())),
  }),
});

const communityRecordings = Type.Object({ entries: Type.Array(recordingOf(Type.String())) });

interface Described {
  /** "users.search". */
  readonly operation: string;
  readonly summary: string;
  readonly parameters: TProperties;
  readonly official: TSchema;
  readonly community: TSchema;
}

/** How OpenAPI describes an endpoint, by method: each has the shape of its own document. */
function describe(method: Method, { operation, summary, parameters, official, community }: Described) {
  const shape = method === 'GET' ? 'official' : 'community';
  return {
    tags: ['Convoso'],
    operationId: `convoso.${operation}.${method.toLowerCase()}`,
    summary: `${summary} (${shape} shape)`,
    description:
      'Parameters may come in the query, in a form body or in a JSON body. Bad parameters are answered with status 200 and a code. The setting convoso.profile may pin one shape for both methods.',
    ...(method === 'GET'
      ? { querystring: Type.Object(parameters), security: [{ convosoToken: [] }, { bearer: [] }] }
      : {
          body: Type.Object(parameters),
          consumes: ['application/x-www-form-urlencoded', 'application/json'],
          security: [{ bearer: [] }],
        }),
    response: {
      200: Type.Union([method === 'GET' ? official : community, failure]),
      ...describeFailures(failure, ['unsupported_media_type']),
    },
  } as FastifySchema;
}

/** How OpenAPI describes users/search. */
export const describeSearch = (method: Method): FastifySchema =>
  describe(method, {
    operation: 'users.search',
    summary: 'Search users',
    parameters,
    official,
    community: Type.Array(communityUser),
  });

/** How OpenAPI describes users/recordings. */
export const describeUserRecordings = (method: Method): FastifySchema =>
  describe(method, {
    operation: 'users.recordings',
    summary: 'List the recordings of users',
    parameters: userRecordingParameters,
    official: officialRecordings,
    community: communityRecordings,
  });

/** How OpenAPI describes lead/get-recordings. */
export const describeLeadRecordings = (method: Method): FastifySchema =>
  describe(method, {
    operation: 'lead.recordings',
    summary: 'List the recordings of a lead',
    parameters: leadRecordingParameters,
    official: officialRecordings,
    community: communityRecordings,
  });

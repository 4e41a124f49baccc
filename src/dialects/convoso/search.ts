import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import type { FormatContext } from '../../directory/format.ts';
import type { Match, Page, UserField } from '../../directory/query.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { sendJson } from '../../http/send-json.ts';
import { decodeSearch, type SearchParameters, secretOf } from './parameters.ts';
import { mayListEveryone, profileOf } from './profiles.ts';
import { describeSearch } from './schemas.ts';
import { COMMUNITY_FIELDS, encodeCommunity, encodeOfficial, OFFICIAL_FIELDS } from './user.ts';

/** GET|POST /v1/users/search. */
export function searchUsers(deps: DialectDeps): Endpoint {
  return {
    operation: 'convoso.users.search',
    methods: ['GET', 'POST'],
    paths: ['/v1/users/search'],
    scope: 'users:read',
    schema: describeSearch,
    secretOf,
    answer: async (request: FastifyRequest, reply: FastifyReply, { contactCenter }: Access) => {
      const profile = profileOf(contactCenter, request.method);
      const parameters = decodeSearch(request, mayListEveryone(contactCenter, profile));
      const context = { timezone: contactCenter.timezone, now: deps.now() };
      const { users, offset, limit } = parameters;
      // Standard offsets are those of the year: nothing else in an answer depends on the time.
      const year = new Date(context.now).getUTCFullYear();
      const question = ['convoso', profile, year, offset, limit, ...(users ?? [])];
      if (users === null) question[0] = 'convoso everyone';
      const make = profile === 'official' ? official : community;
      return sendJson(
        reply,
        await deps.answers.find(contactCenter, question, () =>
          make(deps, contactCenter, parameters, context),
        ),
      );
    },
  };
}

function matchOf({ users }: SearchParameters): Match {
  return users === null ? { kind: 'everyone' } : { kind: 'any-of', texts: users };
}

/** The page that a search asks for. */
function readPage<F extends UserField>(
  deps: DialectDeps,
  contactCenter: Access['contactCenter'],
  parameters: SearchParameters,
  count: 'none' | 'exact',
  fields: readonly F[],
): Promise<Page<F>> {
  const { offset, limit } = parameters;
  return deps.users.page(contactCenter, {
    dialect: 'convoso',
    match: matchOf(parameters),
    offset,
    limit,
    count,
    fields,
  });
}

async function official(
  deps: DialectDeps,
  contactCenter: Access['contactCenter'],
  parameters: SearchParameters,
  context: FormatContext,
): Promise<string> {
  const { offset, limit } = parameters;
  const { users, total } = await readPage(deps, contactCenter, parameters, 'exact', OFFICIAL_FIELDS);
  const results = users.map(
    (user) => `"${user.dialectNumber}":${JSON.stringify(encodeOfficial(user, context))}`,
  );
  return `{"success":true,"data":{"offset":${offset},"limit":"${limit}","total":"${total}","results":{${results.join()}}}}`;
}

async function community(
  deps: DialectDeps,
  contactCenter: Access['contactCenter'],
  parameters: SearchParameters,
  context: FormatContext,
): Promise<string> {
  const { users } = await readPage(deps, contactCenter, parameters, 'none', COMMUNITY_FIELDS);
  return JSON.stringify(users.map((user) => encodeCommunity(user, context)));
}

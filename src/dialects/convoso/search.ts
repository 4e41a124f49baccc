import type { FastifyRequest } from 'fastify';
import type { Access } from '../../access/tokens.ts';
import type { FormatContext } from '../../directory/format.ts';
import type { Match } from '../../directory/query.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import type { EncodedPage } from '../../http/encoded-users.ts';
import { decodeSearch, type SearchParameters, secretOf } from './parameters.ts';
import { mayListEveryone, type Profile, profileOf } from './profiles.ts';
import { describeSearch } from './schemas.ts';
import {
  COMMUNITY_FIELDS,
  type CommunityUser,
  encodeCommunity,
  encodeOfficial,
  OFFICIAL_FIELDS,
  type OfficialUser,
} from './user.ts';

/** GET|POST /v1/users/search. */
export function searchUsers(deps: DialectDeps): Endpoint {
  return {
    operation: 'convoso.users.search',
    methods: ['GET', 'POST'],
    paths: ['/v1/users/search'],
    scope: 'users:read',
    isRepeatable: true,
    schema: describeSearch,
    secretOf,
    answer: async (request: FastifyRequest, _reply, { contactCenter }: Access) => {
      const profile = profileOf(contactCenter, request.method);
      const parameters = decodeSearch(request, mayListEveryone(contactCenter, profile));
      const context = { timezone: contactCenter.timezone, now: deps.now() };
      const { users, offset, limit } = parameters;
      // Standard offsets are those of the year: nothing else in an answer depends on the time.
      const year = new Date(context.now).getUTCFullYear();
      const question = ['convoso', profile, year, offset, limit, ...(users ?? [])];
      if (users === null) question[0] = 'convoso everyone';
      return deps.answers.find(contactCenter, question, async () => {
        const count = profile === 'official' ? 'exact' : 'none';
        const query = { dialect: 'convoso', match: matchOf(parameters), offset, limit, count } as const;
        const page = await deps.encoded.page(contactCenter, query, encodingOf(profile, context, year));
        return profile === 'official' ? official(parameters, page) : community(page);
      });
    },
  };
}

function matchOf({ users }: SearchParameters): Match {
  return users === null ? { kind: 'everyone' } : { kind: 'any-of', texts: users };
}

/** How a profile shows a user. Standard offsets are those of the year. */
function encodingOf(profile: Profile, context: FormatContext, year: number) {
  const name = `${profile} ${context.timezone} ${year}`;
  return profile === 'official'
    ? {
        name,
        fields: OFFICIAL_FIELDS,
        encode: (user: OfficialUser) => JSON.stringify(encodeOfficial(user, context)),
      }
    : {
        name,
        fields: COMMUNITY_FIELDS,
        encode: (user: CommunityUser) => JSON.stringify(encodeCommunity(user, context)),
      };
}

/** The answer of the official page: what was asked for, the total, and the users by their number. */
function official({ offset, limit }: SearchParameters, { users, total }: EncodedPage): string {
  const results = users.map(({ number, text }) => `"${number}":${text}`).join();
  return `{"success":true,"data":{"offset":${offset},"limit":"${limit}","total":"${total}","results":{${results}}}}`;
}

/** The answer of the community documentation: the bare list. */
function community({ users }: EncodedPage): string {
  return `[${users.map(({ text }) => text).join()}]`;
}

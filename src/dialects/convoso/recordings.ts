import type { FastifyRequest } from 'fastify';
import { type ContactCenter, settingOf } from '../../access/contact-center.ts';
import type { Access } from '../../access/tokens.ts';
import { formatLocal } from '../../directory/time-zone.ts';
import type { Answer } from '../../http/answers.ts';
import type { DialectDeps, Endpoint } from '../../http/dialect.ts';
import { type Links, openLinks } from '../../http/recording-links.ts';
import type { RecordingPage } from '../../recordings/query.ts';
import type { ListedRecording } from '../../recordings/recording.ts';
import {
  decodeLeadRecordings,
  decodeUserRecordings,
  type RecordingParameters,
  secretOf,
} from './parameters.ts';
import { type Profile, profileOf, USER_REQUIRED } from './profiles.ts';
import { describeLeadRecordings, describeUserRecordings } from './schemas.ts';

/** GET|POST /v1/users/recordings. */
export function listUserRecordings(deps: DialectDeps): Endpoint {
  return {
    operation: 'convoso.users.recordings',
    methods: ['GET', 'POST'],
    paths: ['/v1/users/recordings'],
    scope: 'recordings:read',
    schema: describeUserRecordings,
    secretOf,
    answer: (request, _reply, access) => {
      const { contactCenter } = access;
      const mayListEveryone = settingOf(contactCenter, USER_REQUIRED) === 'false';
      const parameters = decodeUserRecordings(request, mayListEveryone, contactCenter.timezone);
      return answer(deps, request, access, parameters);
    },
  };
}

/** GET|POST /v1/lead/get-recordings; the vendor's pages also name it /v1/leads/get-recordings. */
export function listLeadRecordings(deps: DialectDeps): Endpoint {
  return {
    operation: 'convoso.lead.recordings',
    methods: ['GET', 'POST'],
    paths: ['/v1/lead/get-recordings', '/v1/leads/get-recordings'],
    scope: 'recordings:read',
    schema: describeLeadRecordings,
    secretOf,
    answer: (request, _reply, access) =>
      answer(deps, request, access, decodeLeadRecordings(request, access.contactCenter.timezone)),
  };
}

async function answer(
  deps: DialectDeps,
  request: FastifyRequest,
  access: Access,
  parameters: RecordingParameters,
): Promise<Answer> {
  const { contactCenter } = access;
  const profile = profileOf(contactCenter, request.method);
  const links = await openLinks(deps, request, access);
  const { users, leadId, from, to, offset, limit } = parameters;
  const keptAt = await keptNow(deps, contactCenter);
  const question = JSON.stringify([
    contactCenter.recordingsRevision,
    profile,
    links.sameness,
    users,
    leadId,
    from,
    to,
    offset,
    limit,
    keptAt,
  ]);
  return deps.answers.find(contactCenter, ['convoso recordings', question], async () => {
    const page = await readPage(deps, contactCenter, parameters, profile, keptAt);
    return encode(page, parameters, profile, contactCenter.timezone, links);
  });
}

/**
 * The whole second at which retentions are weighed: what no link plays any more is not listed, though it is let
 * go only a little later. Null while nothing is past its retention.
 */
async function keptNow({ recordings, now }: DialectDeps, contactCenter: ContactCenter) {
  const first = await recordings.firstEnd(contactCenter);
  const at = Math.floor(now() / 1000) * 1000;
  return first === null || first > at ? null : at;
}

async function readPage(
  deps: DialectDeps,
  contactCenter: ContactCenter,
  { users, leadId, from, to, offset, limit }: RecordingParameters,
  profile: Profile,
  keptAt: number | null,
): Promise<RecordingPage<ListedRecording>> {
  return deps.recordings.list(contactCenter, {
    ...(users === null ? {} : { userNumbers: await findUsers(deps, contactCenter, users) }),
    ...(leadId === null ? {} : { leadId }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(keptAt === null ? {} : { keptAt }),
    offset,
    limit,
    count: profile === 'official' ? 'exact' : 'none',
  });
}

/** Users that are read at once: others get their turn in between. */
const USERS_AT_ONCE = 1000;

/** The own numbers of the users that the items match, as users/search matches them. */
async function findUsers(
  deps: DialectDeps,
  contactCenter: ContactCenter,
  texts: readonly string[],
): Promise<number[]> {
  const numbers: number[] = [];
  for (;;) {
    const { users, hasMore } = await deps.users.page(contactCenter, {
      dialect: 'convoso',
      match: { kind: 'any-of', texts },
      offset: numbers.length,
      limit: USERS_AT_ONCE,
      count: 'none',
      fields: ['number'],
    });
    numbers.push(...users.map((user) => user.number));
    if (!hasMore) return numbers;
    await new Promise(setImmediate);
  }
}

function encode(
  { recordings, total }: RecordingPage<ListedRecording>,
  { offset, limit }: RecordingParameters,
  profile: Profile,
  timezone: string,
  links: Links,
): string {
  const entries = recordings.map((recording) => encodeRecording(recording, profile, timezone, links));
  return JSON.stringify(
    profile === 'official' ? { success: true, data: { offset, limit, total, entries } } : { entries },
  );
}

/** One recording, its fields in the order of both documents' samples. */
function encodeRecording(
  recording: ListedRecording,
  profile: Profile,
  timezone: string,
  links: Links,
): Readonly<Record<string, string | number | null>> {
  const { number, leadId, startedAt, endedAt, seconds } = recording;
  const id = (value: number | null) => (profile === 'official' || value === null ? value : String(value));
  return {
    recording_id: id(number),
    lead_id: id(leadId),
    start_time: formatLocal(startedAt, timezone),
    end_time: endedAt === null ? '' : formatLocal(endedAt, timezone),
    seconds,
    url: links.link(recording),
  };
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { moveBound, parseLocal } from '../../directory/time-zone.ts';
import { invalid } from '../../errors.ts';
import { bearerSecret, parseForm, parseJsonObject, type Query, readText } from '../../http/query.ts';
import { HttpFailure } from '../../http/wire-failure.ts';

/** Bodies that carry parameters: JSON objects and forms. */
export function addParsers(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer' },
    async (_: unknown, body: string | Buffer) => parseJsonObject(readText(body)),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer' },
    async (_: unknown, body: string | Buffer) => parseForm(readText(body)),
  );
  refuseOthers(app);
}

/** A content type without a body says nothing, as on many a GET. */
function refuseOthers(app: FastifyInstance): void {
  app.addContentTypeParser('*', { parseAs: 'buffer' }, async (_: unknown, body: string | Buffer) => {
    if (body.length > 0) throw new HttpFailure('unsupported_media_type');
    return undefined;
  });
}

/** One parameter as it came, from the body where it is there, else from the query. Null counts as absent. */
function parameter(request: FastifyRequest, name: string): unknown {
  const body = request.body as Readonly<Record<string, unknown>> | undefined | null;
  if (body != null && Object.hasOwn(body, name) && body[name] != null) return body[name];
  return (request.query as Query)[name];
}

/** The secret: the parameter `auth_token`, or a bearer header where there is none. */
export function secretOf(request: FastifyRequest): string | undefined {
  const token = parameter(request, 'auth_token');
  if (token === undefined) return bearerSecret(request.headers.authorization);
  return typeof token === 'string' ? token : undefined;
}

/** The longest list of users in one request. */
const MAX_USERS = 500;

/**
 * The `user` list: comma separated, sent once or more, or a JSON array; trimmed, without blanks. Null where
 * it is absent. @throws Failure invalid when it is blank or too long
 */
function decodeUsers(value: unknown): string[] | null {
  if (value === undefined) return null;
  const parts = Array.isArray(value) ? value : [value];
  const users = parts
    .filter((part) => typeof part === 'string' || typeof part === 'number')
    .flatMap((part) => String(part).split(','))
    .map((part) => part.trim())
    .filter((part) => part !== '');
  if (users.length === 0) throw invalid('missingUsers', 'is blank');
  if (users.length > MAX_USERS) throw invalid('tooManyUsers', `has more than ${MAX_USERS} items`);
  return users;
}

/** A whole number in digits, or as a JSON number. @throws Failure invalid */
function decodeWhole(name: string, value: unknown, least: number, absent: number): number {
  if (value === undefined) return absent;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  // A limit may be of any size, it is cut to the greatest page; an offset is echoed, and must be exact.
  const isWhole = name === 'limit' ? isWholeNumber(number) : Number.isSafeInteger(number);
  if (typeof number !== 'number' || !isWhole || number < least) {
    throw invalid(name, `must be a whole number from ${least}`);
  }
  return number;
}

/** Also true of more digits than a number holds. */
function isWholeNumber(value: unknown): boolean {
  return Number.isInteger(value) || value === Number.POSITIVE_INFINITY;
}

/** What a search asks for. */
export interface SearchParameters {
  /** Null where `user` is absent. */
  readonly users: readonly string[] | null;
  readonly offset: number;
  readonly limit: number;
}

/** What a page holds where no limit is asked for, and at most. */
interface PageSize {
  readonly usual: number;
  readonly most: number;
}
const PAGE: PageSize = { usual: 20, most: 1000 };
const LEAD_PAGE: PageSize = { usual: 10, most: 100 };

function decodePage(request: FastifyRequest, { usual, most }: PageSize) {
  const offset = decodeWhole('offset', parameter(request, 'offset'), 0, 0);
  const limit = Math.min(decodeWhole('limit', parameter(request, 'limit'), 1, usual), most);
  return { offset, limit };
}

/**
 * Reads the parameters of users/search in the vendor's order.
 * @param mayBeAbsent whether everyone is meant where `user` is absent
 * @throws Failure invalid
 */
export function decodeSearch(request: FastifyRequest, mayBeAbsent: boolean): SearchParameters {
  const users = decodeUsers(parameter(request, 'user'));
  if (users === null && !mayBeAbsent) throw invalid('missingUsers', 'is absent');
  return { users, ...decodePage(request, PAGE) };
}

/** What a list of recordings asks for. */
export interface RecordingParameters {
  /** Null where `user` is absent, or not asked for. */
  readonly users: readonly string[] | null;
  readonly leadId: number | null;
  /** Bounds of the start of a call, both included, in milliseconds; null for none. */
  readonly from: number | null;
  readonly to: number | null;
  readonly offset: number;
  readonly limit: number;
}

/** A bound of a time range: "YYYY-MM-DD HH:MM:SS" in the contact center's zone. @throws Failure invalid */
function decodeTime(
  request: FastifyRequest,
  name: 'start_time' | 'end_time',
  timezone: string,
): number | null {
  const value = parameter(request, name);
  if (value === undefined) return null;
  // A range takes in a time that clocks show twice both times, and all of its last second.
  const isEnd = name === 'end_time';
  const at =
    typeof value === 'string' && value[10] === ' '
      ? parseLocal(moveBound(value), timezone, isEnd ? 'last' : 'first')
      : null;
  if (at === null) throw invalid('time', 'must be a time as YYYY-MM-DD HH:MM:SS');
  return isEnd ? at + 999 : at;
}

const decodeTimes = (request: FastifyRequest, timezone: string) => ({
  from: decodeTime(request, 'start_time', timezone),
  to: decodeTime(request, 'end_time', timezone),
});

/**
 * Reads the parameters of users/recordings in the order of the vendor's errors.
 * @param mayBeAbsent whether everyone is meant where `user` is absent
 * @throws Failure invalid
 */
export function decodeUserRecordings(
  request: FastifyRequest,
  mayBeAbsent: boolean,
  timezone: string,
): RecordingParameters {
  const users = decodeUsers(parameter(request, 'user'));
  if (users === null && !mayBeAbsent) throw invalid('missingUsers', 'is absent');
  return { users, leadId: null, ...decodePage(request, PAGE), ...decodeTimes(request, timezone) };
}

/** Reads the parameters of lead/get-recordings. @throws Failure invalid */
export function decodeLeadRecordings(request: FastifyRequest, timezone: string): RecordingParameters {
  const page = decodePage(request, LEAD_PAGE);
  const times = decodeTimes(request, timezone);
  const lead = parameter(request, 'lead_id');
  if (lead === undefined || lead === '') throw invalid('missingLead', 'is absent');
  const leadId = typeof lead === 'string' && /^\d+$/.test(lead) ? Number(lead) : lead;
  if (typeof leadId !== 'number' || !Number.isInteger(leadId) || leadId < 0) {
    throw invalid('lead', 'must be a whole number');
  }
  return { users: null, leadId, ...page, ...times };
}

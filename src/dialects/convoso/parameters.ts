import type { FastifyInstance, FastifyRequest } from 'fastify';
import { invalid } from '../../errors.ts';
import { bearerSecret, parseForm, parseJsonObject, type Query } from '../../http/query.ts';
import { HttpFailure } from '../../http/wire-failure.ts';

/** Bodies that carry parameters: JSON objects and forms. */
export function addParsers(app: FastifyInstance): void {
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_: unknown, body: string | Buffer) => parseJsonObject(String(body)),
  );
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    async (_: unknown, body: string | Buffer) => parseForm(String(body)),
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

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

/**
 * Reads the parameters of users/search in the vendor's order.
 * @param mayBeAbsent whether everyone is meant where `user` is absent
 * @throws Failure invalid
 */
export function decodeSearch(request: FastifyRequest, mayBeAbsent: boolean): SearchParameters {
  const users = decodeUsers(parameter(request, 'user'));
  if (users === null && !mayBeAbsent) throw invalid('missingUsers', 'is absent');
  const offset = decodeWhole('offset', parameter(request, 'offset'), 0, 0);
  const limit = Math.min(decodeWhole('limit', parameter(request, 'limit'), 1, DEFAULT_LIMIT), MAX_LIMIT);
  return { users, offset, limit };
}

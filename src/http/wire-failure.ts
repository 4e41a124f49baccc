import { Failure, type FailureKind, type FieldProblems } from '../errors.ts';

/** Every way in which a request can end without its answer: the domain's kinds, and HTTP's own. */
export type WireFailureKind =
  | FailureKind
  | 'malformed'
  | 'method_not_allowed'
  | 'headers_too_large'
  | 'range_not_satisfiable'
  | 'internal';

/** A failure on its way to a wire. */
export interface WireFailure {
  readonly kind: WireFailureKind;
  readonly fields: FieldProblems;
  /** What is wrong and how it is mended, where that may be told; it carries nothing from outside. */
  readonly detail?: string;
  /** Seconds; for `rate_limited` and `unavailable`. */
  readonly retryAfter?: number;
  /** For `rate_limited`: requests allowed in the window, and seconds until it ends. */
  readonly limit?: { readonly allowed: number; readonly resetIn: number };
  /** For `method_not_allowed`: the methods that the path knows. */
  readonly allow?: readonly string[];
  /** For `range_not_satisfiable`: the value of Content-Range, which tells the size. */
  readonly contentRange?: string;
}

/** An answer that says what went wrong, in one wire's own form. */
export interface FailureAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body: string;
}

export type EncodeFailure = (failure: WireFailure) => FailureAnswer;

/** Raised where HTTP itself is used wrongly. */
export class HttpFailure extends Error {
  readonly failure: WireFailure;

  constructor(kind: WireFailureKind, rest: Partial<WireFailure> = {}) {
    super(kind);
    this.name = 'HttpFailure';
    this.failure = { fields: {}, ...rest, kind };
  }
}

/** Errors of Fastify and Node, by code, that are the client's doing. */
const FASTIFY: Readonly<Record<string, WireFailureKind>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too_large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed',
  FST_ERR_BAD_URL: 'malformed',
  FST_ERR_MAX_PARAM_LENGTH: 'not_found',
  // The name of a file, as a path asks for it.
  ENAMETOOLONG: 'not_found',
  // The client hung up in the middle of its body.
  ECONNRESET: 'malformed',
};

/** What plugins raise for the client's doing, by the status that they would answer. */
const BY_STATUS: Readonly<Record<number, WireFailureKind>> = {
  400: 'malformed',
  // A path that leads out of a folder is a path that there is not.
  403: 'not_found',
  404: 'not_found',
  412: 'precondition',
  416: 'range_not_satisfiable',
};

/** What an error means on a wire. `internal` is a bug, and nobody's doing but ours. */
export function toWireFailure(error: unknown): WireFailure {
  if (error instanceof HttpFailure) return error.failure;
  if (error instanceof Failure) {
    return {
      kind: error.kind,
      fields: error.fields,
      // What fails on our side may name folders.
      ...(error.kind === 'unavailable' ? {} : { detail: error.message }),
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    };
  }
  if (!(error instanceof Error)) return { kind: 'internal', fields: {} };
  const code = 'code' in error ? String(error.code) : '';
  const status = 'statusCode' in error ? Number(error.statusCode) : 0;
  return { kind: FASTIFY[code] ?? BY_STATUS[status] ?? 'internal', fields: {} };
}

const PROBLEMS: Readonly<Record<WireFailureKind, readonly [status: number, title: string]>> = {
  malformed: [400, 'Bad Request'],
  invalid: [400, 'Bad Request'],
  unauthenticated: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not Found'],
  method_not_allowed: [405, 'Method Not Allowed'],
  conflict: [409, 'Conflict'],
  precondition: [412, 'Precondition Failed'],
  too_large: [413, 'Content Too Large'],
  unsupported_media_type: [415, 'Unsupported Media Type'],
  range_not_satisfiable: [416, 'Range Not Satisfiable'],
  rate_limited: [429, 'Too Many Requests'],
  headers_too_large: [431, 'Request Header Fields Too Large'],
  internal: [500, 'Internal Server Error'],
  unavailable: [503, 'Service Unavailable'],
};

/** The HTTP status of each kind, for wires that have no codes of their own. */
export function statusOf(kind: WireFailureKind): number {
  return PROBLEMS[kind][0];
}

/** The reason phrase of each kind (RFC 9110 section 15). */
export function titleOf(kind: WireFailureKind): string {
  return PROBLEMS[kind][1];
}

/** Headers that RFC 9110 asks for with some failures. */
export function failureHeaders(failure: WireFailure, withRetryAfter = true): Record<string, string> {
  return {
    ...(withRetryAfter && failure.retryAfter !== undefined
      ? { 'retry-after': String(failure.retryAfter) }
      : {}),
    ...(failure.allow === undefined ? {} : { allow: failure.allow.join(', ') }),
    ...(failure.contentRange === undefined ? {} : { 'content-range': failure.contentRange }),
  };
}

/** The form for paths that belong to no vendor: a problem document (RFC 9457). */
export const encodeProblem: EncodeFailure = (failure) => {
  const [status, title] = PROBLEMS[failure.kind];
  return {
    status,
    headers: failureHeaders(failure),
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title, status }),
  };
};

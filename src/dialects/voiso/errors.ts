import {
  type EncodeFailure,
  failureHeaders,
  statusOf,
  titleOf,
  type WireFailureKind,
} from '../../http/wire-failure.ts';

/** The vendor's texts, in its own capitals; a kind that it does not document says its reason phrase. */
const TEXTS: Readonly<Partial<Record<WireFailureKind, string>>> = {
  unauthenticated: 'Invalid User API Key',
  forbidden: 'Forbidden',
  malformed: 'Bad Request',
  not_found: 'Not found',
  rate_limited: 'Too many requests',
};

/** Any failure in Voiso's form: one `error`, or `errors` by parameter. */
export const encodeFailure: EncodeFailure = (failure) => {
  if (failure.kind === 'invalid') return { status: 422, body: JSON.stringify({ errors: failure.fields }) };
  return {
    status: statusOf(failure.kind),
    headers: failureHeaders(failure),
    body: JSON.stringify({ error: TEXTS[failure.kind] ?? titleOf(failure.kind) }),
  };
};

import {
  type EncodeFailure,
  failureHeaders,
  statusOf,
  titleOf,
  type WireFailureKind,
} from '../../http/wire-failure.ts';

const TEXTS: Readonly<Partial<Record<WireFailureKind, string>>> = {
  unauthenticated: 'Invalid token',
  not_found: 'Not found',
  invalid: 'Invalid parameters',
  rate_limited: 'Too many requests',
};

/** Any failure in Smartflo's form. */
export const encodeFailure: EncodeFailure = (failure) => {
  const message = TEXTS[failure.kind] ?? titleOf(failure.kind);
  return {
    status: statusOf(failure.kind),
    // The vendor documents no Retry-After where its limit is met.
    headers: failureHeaders(failure, failure.kind !== 'rate_limited'),
    body: JSON.stringify({
      // The text "false" is the vendor's own slip on its rate limiting page; clients cope with it.
      success: failure.kind === 'rate_limited' ? 'false' : false,
      message,
      ...(failure.kind === 'invalid' ? { errors: failure.fields } : {}),
    }),
  };
};

import { type EncodeFailure, encodeProblem } from '../../http/wire-failure.ts';

/** A problem document (RFC 9457) that also tells what is wrong, and with which field, where that may be told. */
export const encodeFailure: EncodeFailure = (failure) => {
  const answer = encodeProblem(failure);
  const { detail, fields, kind } = failure;
  // Who may not ask is told nothing but how to ask (RFC 9110 section 11.6.1).
  if (kind === 'unauthenticated')
    return { ...answer, headers: { ...answer.headers, 'www-authenticate': 'Bearer' } };
  if (kind === 'forbidden') return answer;
  const errors = Object.keys(fields).length === 0 ? {} : { errors: fields };
  return {
    ...answer,
    body: JSON.stringify({
      ...JSON.parse(answer.body),
      ...(detail === undefined ? {} : { detail }),
      ...errors,
    }),
  };
};

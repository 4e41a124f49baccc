import {
  type EncodeFailure,
  failureHeaders,
  statusOf,
  titleOf,
  type WireFailure,
} from '../../http/wire-failure.ts';

interface Answer {
  readonly status: number;
  readonly code: number;
  readonly text: string;
}

/** Parameters in the order in which they are checked, and what the vendor calls a bad one. */
const PARAMETERS: Readonly<Record<string, Answer>> = {
  missingUsers: { status: 200, code: 6005, text: 'Missing users' },
  tooManyUsers: { status: 200, code: 6005, text: 'Too many users' },
  offset: { status: 200, code: 7231, text: 'Invalid offset value' },
  limit: { status: 200, code: 7258, text: 'Invalid limit value' },
  time: { status: 200, code: 6031, text: 'Invalid date format' },
  missingLead: { status: 200, code: 4001, text: 'Missing required field' },
  lead: { status: 200, code: 4002, text: 'Field must be numeric' },
};

const TEXTS: Readonly<Partial<Record<WireFailure['kind'], string>>> = { not_found: 'Not found' };

function answerOf(failure: WireFailure): Answer {
  if (failure.kind === 'unauthenticated') return { status: 401, code: 5001, text: 'Invalid auth token' };
  if (failure.kind === 'invalid') {
    const [parameter] = Object.keys(failure.fields);
    const answer = parameter === undefined ? undefined : PARAMETERS[parameter];
    if (answer !== undefined) return answer;
  }
  // Where the vendor documents no code, the code is the status and the text its reason phrase.
  const status = statusOf(failure.kind);
  return { status, code: status, text: TEXTS[failure.kind] ?? titleOf(failure.kind) };
}

/** Any failure in Convoso's form. The text stands twice: community clients read `error`. */
export const encodeFailure: EncodeFailure = (failure) => {
  const { status, code, text } = answerOf(failure);
  const { limit } = failure;
  return {
    status,
    headers: {
      ...failureHeaders(failure),
      ...(limit === undefined
        ? {}
        : {
            'x-ratelimit-limit': String(limit.allowed),
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': String(limit.resetIn),
          }),
    },
    body: JSON.stringify({ success: false, code, text, error: text }),
  };
};

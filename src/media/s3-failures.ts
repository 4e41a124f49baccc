import { Failure } from '../errors.ts';

/** What the SDK's errors have in common. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: unknown;
}

const KEYS = 'look at AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what its policy allows';

/** What can be mended, by the error's name or status, and after how many seconds a retry makes sense. */
const MENDS: Readonly<Record<string, readonly [mend: string, retryAfter: number]>> = {
  NoSuchBucket: ['there is no such bucket; make it, or name another', 30],
  InvalidBucketName: ['no bucket can have that name', 30],
  CredentialsProviderError: ['no keys were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY', 30],
  PermanentRedirect: ['the bucket is in another region; name it with --s3-region', 30],
  AuthorizationHeaderMalformed: ['the bucket is in another region; name it with --s3-region', 30],
  ENOTFOUND: ['its host is not known; look at --s3-endpoint, and whether it needs --s3-path-style', 30],
  ECONNREFUSED: ['nothing answers there; look at --s3-endpoint', 10],
  TimeoutError: ['it does not answer in time', 10],
  401: [`it refuses the keys; ${KEYS}`, 30],
  403: [`it refuses the keys; ${KEYS}`, 30],
};

/** Whether an error of the SDK says that there is no such object. A bucket that is not there has a name of its own. */
export function isMissing(error: unknown): boolean {
  const { name, $metadata } = error instanceof Error ? (error as SdkError) : { name: '' };
  return $metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket';
}

/** Whether an error of the SDK says that a range begins behind the end (RFC 9110 section 15.5.17). */
export function isPastEnd(error: unknown): boolean {
  return error instanceof Error && (error as SdkError).$metadata?.httpStatusCode === 416;
}

/**
 * An error of the SDK in our words, with the SDK's as its cause; what is none passes through, as a bug.
 * `where` is the bucket as it was named.
 */
export function explainS3(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  const { name, code, $metadata, message } = error as SdkError;
  const status = $metadata?.httpStatusCode;
  if (message === 'Region is missing') {
    return new Failure('unavailable', `cannot use ${where}: name its region with --s3-region`, {
      retryAfter: 30,
      cause: error,
    });
  }
  const known = [name, code, status].map((each) => MENDS[String(each)]).find((mend) => mend !== undefined);
  // Node's own errors of use have codes with an underscore, those of the network and of TLS do not all.
  const isNetwork = typeof code === 'string' && !/^ERR_(INVALID|OUT_OF|MISSING)/.test(code);
  if (known === undefined && $metadata === undefined && !isNetwork) return error;
  const told = status === undefined ? 'the connection to it fails' : `it answers ${status}`;
  const [mend, retryAfter] = known ?? [`${told}; try again in a moment`, 10];
  return new Failure('unavailable', `cannot use ${where}: ${mend}`, { retryAfter, cause: error });
}

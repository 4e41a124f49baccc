/**
 * What can go wrong in the domain, said without HTTP: every room may raise these, and each dialect
 * decides how its own wire shows them.
 */
export type FailureKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition'
  | 'too_large'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'unavailable';

/** Messages by the name of the parameter or field that they are about. */
export type FieldProblems = Readonly<Record<string, readonly string[]>>;

/**
 * A failure that the caller can act on. `message` names the mend and never carries a value that came
 * from outside: names of fields, numbers of users and paths given on the command line only.
 */
export class Failure extends Error {
  readonly kind: FailureKind;
  /** For `invalid`: what is wrong with which parameter, in the order in which they were checked. */
  readonly fields: FieldProblems;
  /** For `rate_limited` and `unavailable`: seconds after which a retry makes sense. */
  readonly retryAfter: number | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    options: { fields?: FieldProblems; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.kind = kind;
    this.fields = options.fields ?? {};
    this.retryAfter = options.retryAfter;
  }
}

/** A parameter failed its check: `invalid` with one field and one message. */
export function invalid(field: string, problem: string): Failure {
  return new Failure('invalid', `${field}: ${problem}`, { fields: { [field]: [problem] } });
}

/**
 * What logs and terminals may hold of an unexpected error: its type and where it was raised, never its
 * message, which may quote a row (JSON.parse does).
 */
export function describeBug(error: unknown): { type: string; at: string[] } {
  if (!(error instanceof Error)) return { type: typeof error, at: [] };
  // A message of several lines may hold one that looks like a frame.
  const stack = (error.stack ?? '').replace(error.message, '');
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { type: error.name, at: frames.slice(0, 8).map((line) => line.trim()) };
}

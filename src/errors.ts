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

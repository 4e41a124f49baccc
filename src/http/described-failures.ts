import type { TSchema } from 'typebox';
import { statusOf, titleOf, type WireFailureKind } from './wire-failure.ts';

/** What any endpoint that takes a token may answer. */
const ANYWHERE: readonly WireFailureKind[] = [
  'malformed',
  'unauthenticated',
  'forbidden',
  'method_not_allowed',
  'too_large',
  'headers_too_large',
  'rate_limited',
  'internal',
  'unavailable',
];

/**
 * How OpenAPI describes the failures of an endpoint, by status.
 * @param body the form that the wire gives to each of them
 * @param more what this wire may answer besides
 */
export function describeFailures(
  body: TSchema,
  more: readonly WireFailureKind[] = [],
): Readonly<Record<number, TSchema>> {
  return Object.fromEntries(
    [...ANYWHERE, ...more].map((kind) => [statusOf(kind), { ...body, description: titleOf(kind) }]),
  );
}

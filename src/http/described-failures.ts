import { type TSchema, Type } from 'typebox';
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

const problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.Optional(Type.String()),
  errors: Type.Optional(Type.Record(Type.String(), Type.Array(Type.String()))),
});

/** How OpenAPI describes problem documents (RFC 9457), by status: each with what it means there. */
export function describeProblems(told: Readonly<Record<number, string>>) {
  return Object.fromEntries(
    Object.entries(told).map(([status, description]) => [
      status,
      { description, content: { 'application/problem+json': { schema: problem } } },
    ]),
  );
}

/** The same of an endpoint that takes a token: what any of them may answer, and what is told of this one. */
export function describeTokenProblems(told: Readonly<Record<number, string>>) {
  const anywhere = Object.fromEntries(ANYWHERE.map((kind) => [statusOf(kind), titleOf(kind)]));
  return describeProblems({ ...anywhere, ...told });
}

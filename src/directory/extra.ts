import type { JsonObject } from './user.ts';

/**
 * A wire user with the vendor fields that are only kept. They come last, and never in place of a field
 * that the dialect itself shows.
 */
export function withExtra(shown: JsonObject, extra: JsonObject | undefined): JsonObject {
  if (extra === undefined) return shown;
  const kept = Object.entries(extra).filter(([field]) => !Object.hasOwn(shown, field));
  return kept.length === 0 ? shown : { ...shown, ...Object.fromEntries(kept) };
}

import type { UserPatch } from './patch.ts';
import type { UserField } from './query.ts';
import type { JsonObject, User } from './user.ts';

/** What a row's times and zones are read with. */
export interface FormatContext {
  /** The contact center's zone: times without one are in it. */
  readonly timezone: string;
  readonly now: number;
}

/** A user as one format sees them: the dialect number is the one of the format's dialect. */
export type FormatUser = User & { readonly dialectNumber: number };

/** A whole export: what stands before, between and after the rows. */
export interface Envelope {
  readonly head: string;
  readonly separator: string;
  readonly tail: string;
}

/** A form in which users are loaded and given out: the native one, or a vendor's own answers. */
export interface UserFormat {
  readonly name: string;
  /** The dialect whose numbers the rows carry; null for the native format. */
  readonly dialect: string | null;
  /** The fields that `encode` reads. */
  readonly fields: readonly UserField[];
  /** Whether a row looks like this format's. */
  recognises(row: JsonObject): boolean;
  /** @throws Failure invalid that names every bad field. */
  decode(row: JsonObject, context: FormatContext): UserPatch;
  encode(user: FormatUser, context: FormatContext): JsonObject;
  /** The text of one row in an export. */
  row(user: FormatUser, context: FormatContext): string;
  envelope(whole: { readonly count: number; readonly lastNumber: number | null }): Envelope;
}

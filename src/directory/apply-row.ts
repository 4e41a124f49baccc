import { isDeepStrictEqual } from 'node:util';
import { Failure } from '../errors.ts';
import type { FormatContext, UserFormat } from './format.ts';
import { applyPatch, blankUser, madeLoginId, newIn } from './merge.ts';
import type { NameBook } from './names.ts';
import type { UserPatch } from './patch.ts';
import type { ImportCounts } from './ports.ts';
import { shownName } from './user.ts';
import type { Entry, WorkingSet } from './working-set.ts';

/** What rows are applied with, besides the users. */
export interface RowSurroundings {
  readonly dialects: readonly string[];
  readonly newId: () => string;
}

/** Applies one row. @throws Failure invalid or conflict where it cannot be taken in */
export function applyRow(
  set: WorkingSet,
  names: NameBook,
  format: UserFormat,
  patch: UserPatch,
  context: FormatContext,
  { dialects, newId }: RowSurroundings,
): keyof ImportCounts {
  const entry = set.find(patch, format.dialect, (holder) =>
    isDeepStrictEqual(patch, shownBy(format, holder, context)),
  );
  const number = entry?.user.number ?? patch.number ?? set.nextOwnNumber();
  const given = givenNumbers(patch, entry, number, format, dialects);
  set.checkGiven(entry, given);
  if (entry === null) {
    const blank = blankUser(number, patch.id ?? newId(), context.timezone, context.now);
    const applied = applyPatch(blank, patch, true, names);
    const isMadeUp = applied.loginId === madeLoginId(number) && patch.loginId === undefined;
    const made =
      isMadeUp && set.isLoginTaken(applied.loginId) ? { ...applied, loginId: `user-${applied.id}` } : applied;
    if (made.email === null && patch.loginId === undefined && shownName(made) === '') {
      throw new Failure('invalid', 'the row names nobody: it needs an email, a login id or a name');
    }
    set.put(null, made, given);
    set.nextNumber = Math.max(set.nextNumber, number + 1);
    return 'made';
  }
  const after = applyPatch(entry.user, newIn(patch, shownBy(format, entry, context)), false, names);
  if (Object.keys(given).length === 0 && isDeepStrictEqual(after, entry.user)) return 'unchanged';
  set.put(entry, after, given);
  return 'changed';
}

/**
 * The dialect numbers that a row gives anew. One that the user has already stays what it is: an export of
 * ours that is loaded again does not turn a number that was chosen here into a vendor's. In our own format
 * the user's own number is one that was chosen, too.
 */
function givenNumbers(
  patch: UserPatch,
  entry: Entry | null,
  own: number,
  format: UserFormat,
  dialects: readonly string[],
): Record<string, number> {
  const isOurs = (dialect: string, number: number) =>
    entry === null
      ? format.dialect === null && number === own
      : entry.user.dialectNumbers[dialect] === number;
  const given: Record<string, number> = {};
  // A number in a dialect that is not known here is not kept, and so gives nothing.
  for (const dialect of dialects) {
    const number = patch.dialectNumbers?.[dialect];
    if (number !== undefined && !isOurs(dialect, number)) given[dialect] = number;
  }
  return given;
}

/** What a format says of a user as they are. */
function shownBy(format: UserFormat, { user }: Entry, context: FormatContext): UserPatch {
  const dialectNumber =
    format.dialect === null ? user.number : (user.dialectNumbers[format.dialect] ?? user.number);
  return format.decode(format.encode({ ...user, dialectNumber }, context), context);
}

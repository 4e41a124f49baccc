import { fold } from './fold.ts';
import { madeLoginId } from './merge.ts';
import { MAX_COUNTED, type UserPatch } from './patch.ts';
import type { KnownBy, NumberState } from './ports.ts';

const NOBODY: KnownBy = {
  ids: new Set(),
  numbers: new Set(),
  emails: new Set(),
  loginIds: new Set(),
  extensions: new Set(),
  dialectNumbers: new Map(),
};

/**
 * The keys that a batch of patches may find users by, without those that nobody can have: numbers above all
 * that were ever taken.
 * @param own the numbers that new users of this batch may come to have
 */
export function keysOf(
  patches: readonly UserPatch[],
  dialect: string | null,
  state: NumberState,
  own: ReadonlySet<number>,
): KnownBy {
  if (state.nextNumber === 1) return NOBODY;
  const keys = {
    ids: new Set<string>(),
    numbers: new Set<number>(),
    emails: new Set<string>(),
    loginIds: new Set<string>(),
    extensions: new Set<string>(),
    dialectNumbers: new Map<string, Set<number>>(),
  };
  if (dialect !== null) keys.dialectNumbers.set(dialect, new Set());
  for (const patch of patches) {
    if (patch.id !== undefined) keys.ids.add(patch.id);
    if (patch.number !== undefined && patch.number < state.nextNumber) keys.numbers.add(patch.number);
    for (const key of textKeysOf(patch)) {
      keys.emails.add(key);
      keys.loginIds.add(key);
    }
    for (const extension of patch.extensions ?? []) keys.extensions.add(extension);
    if (patch.extension != null) keys.extensions.add(patch.extension);
    for (const [name, number] of Object.entries(patch.dialectNumbers ?? {})) {
      if (!mayBeTaken(state, name, number)) continue;
      const numbers = keys.dialectNumbers.get(name) ?? new Set();
      keys.dialectNumbers.set(name, numbers.add(number));
    }
  }
  // Who is new without either gets a login id of their number, which somebody may have taken for themselves.
  if (patches.some((patch) => patch.loginId === undefined && patch.email == null)) {
    for (const number of own) keys.loginIds.add(madeLoginId(number));
  }
  return keys;
}

/** The texts that a user may know as their email or as their login id. */
export function textKeysOf({ email, loginId }: UserPatch): string[] {
  const texts = email === loginId ? [email] : [email, loginId];
  return texts.flatMap((text) => (text == null || text === '' ? [] : fold(text)));
}

/** Whether a dialect number may be, or have been, somebody's. Those above MAX_COUNTED are not counted. */
export function mayBeTaken(state: NumberState, dialect: string, number: number): boolean {
  return number > MAX_COUNTED || number <= (state.highest.get(dialect) ?? 0);
}

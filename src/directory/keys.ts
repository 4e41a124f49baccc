import { fold } from './fold.ts';
import { madeLoginId } from './merge.ts';
import { MAX_COUNTED, type UserPatch } from './patch.ts';
import type { KnownBy, NumberState } from './ports.ts';
import type { SeenKeys } from './seen-keys.ts';
import type { User } from './user.ts';

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
 * that were ever taken, and texts that were never seen.
 * @param own the numbers that new users of this batch may come to have
 * @param seen the texts that anybody has, where they are known
 */
export function keysOf(
  patches: readonly UserPatch[],
  dialect: string | null,
  state: NumberState,
  own: ReadonlySet<number>,
  seen: SeenKeys | null,
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
  const mayBeSeen = (text: string) => seen === null || seen.has(text);
  if (dialect !== null) keys.dialectNumbers.set(dialect, new Set());
  for (const patch of patches) {
    if (patch.id !== undefined && mayBeSeen(patch.id)) keys.ids.add(patch.id);
    if (patch.number !== undefined && patch.number < state.nextNumber) keys.numbers.add(patch.number);
    for (const key of textKeysOf(patch)) {
      if (!mayBeSeen(key)) continue;
      keys.emails.add(key);
      keys.loginIds.add(key);
    }
    for (const extension of extensionsOf(patch)) {
      if (mayBeSeen(extension)) keys.extensions.add(extension);
    }
    for (const name in patch.dialectNumbers) {
      const number = patch.dialectNumbers[name];
      if (number === undefined || !mayBeTaken(state, name, number)) continue;
      const numbers = keys.dialectNumbers.get(name) ?? new Set();
      keys.dialectNumbers.set(name, numbers.add(number));
    }
  }
  // Who is new without either gets a login id of their number, which somebody may have taken for themselves.
  if (patches.some((patch) => patch.loginId === undefined && patch.email == null)) {
    for (const loginId of [...own].map(madeLoginId)) {
      if (mayBeSeen(loginId)) keys.loginIds.add(loginId);
    }
  }
  return keys;
}

/** Notes all texts by which these users may be found. */
export function seeUsers(seen: SeenKeys, users: Iterable<User>): void {
  for (const { id, email, loginId, extensions } of users) {
    seen.add(id);
    for (const key of textKeysOf({ email, loginId })) seen.add(key);
    for (const extension of extensions) seen.add(extension);
  }
}

function extensionsOf({ extension, extensions = [] }: UserPatch): readonly string[] {
  return extension == null ? extensions : [...extensions, extension];
}

/** The texts that a user may know as their email or as their login id. */
export function textKeysOf({ email, loginId }: UserPatch): string[] {
  const keys: string[] = [];
  if (email != null && email !== '') keys.push(fold(email));
  if (loginId !== undefined && loginId !== '' && loginId !== email) keys.push(fold(loginId));
  return keys;
}

/** Whether a dialect number may be, or have been, somebody's. Those above MAX_COUNTED are not counted. */
export function mayBeTaken(state: NumberState, dialect: string, number: number): boolean {
  return number > MAX_COUNTED || number <= (state.highest.get(dialect) ?? 0);
}

import { fold } from './fold.ts';
import { type DialectIndex, FLAGS, type Flag } from './query.ts';
import { shownName, type User, wholeName } from './user.ts';
import { cityOf } from './zone-names.ts';

/**
 * Search terms: short texts under which the store files a user's dialect number, so that a search reads
 * one sorted run of numbers. The prefix keeps the kinds apart.
 */
export const TERM = {
  named: (text: string) => `any=${fold(text)}`,
  name: (text: string) => `name=${fold(text)}`,
  role: (number: number) => `role=${number}`,
  callerIdGroup: (text: string) => `caller=${fold(text)}`,
  /** Takes a zone's name or its city: users are filed under the city. */
  timezone: (text: string) => `zone=${fold(cityOf(text))}`,
  flags: (mask: number) => `flags=${mask}`,
} as const;

type TermSource = Pick<
  User,
  | 'firstName'
  | 'lastName'
  | 'displayName'
  | 'role'
  | 'callerIdGroup'
  | 'timezone'
  | 'extensions'
  | 'loginBasedCalling'
  | 'internationalCalling'
  | 'webLogin'
  | 'status'
>;

const FLAG_OF: Readonly<Record<Flag, (user: TermSource) => boolean>> = {
  hasExtension: (user) => user.extensions.length > 0,
  loginBasedCalling: (user) => user.loginBasedCalling,
  internationalCalling: (user) => user.internationalCalling,
  webLogin: (user) => user.webLogin,
  active: (user) => user.status === 'active',
};

/** A user's flags as bits, in the order of FLAGS. */
export function flagMask(user: TermSource): number {
  return FLAGS.reduce((mask, flag, bit) => (FLAG_OF[flag](user) ? mask | (1 << bit) : mask), 0);
}

/** Every mask that agrees with the given flags. With none given, all of them. */
export function masksOf(flags: Readonly<Partial<Record<Flag, boolean>>>): number[] {
  const masks: number[] = [];
  for (let mask = 0; mask < 1 << FLAGS.length; mask += 1) {
    const agrees = FLAGS.every(
      (flag, bit) => flags[flag] === undefined || flags[flag] === (((mask >> bit) & 1) === 1),
    );
    if (agrees) masks.push(mask);
  }
  return masks;
}

/** The terms under which a dialect finds a user. Short texts; no term is empty. */
export function termsOf(user: TermSource, index: DialectIndex): string[] {
  const terms: string[] = [];
  if (index.searches.includes('names')) {
    for (const text of [user.firstName, user.lastName, wholeName(user)]) {
      const term = TERM.named(text);
      if (term !== 'any=' && !terms.includes(term)) terms.push(term);
    }
  }
  if (index.searches.includes('filters')) {
    terms.push(TERM.name(shownName(user)), TERM.role(user.role.number), TERM.timezone(user.timezone));
    if (user.callerIdGroup !== null) terms.push(TERM.callerIdGroup(user.callerIdGroup));
  }
  if (index.searches.includes('flags')) terms.push(TERM.flags(flagMask(user)));
  return terms;
}

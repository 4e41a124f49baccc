import { fold } from '../../src/directory/fold.ts';
import {
  FILTERS as FILTER_NAMES,
  type Filter,
  FLAGS,
  type Flag,
  type Match,
} from '../../src/directory/query.ts';
import { shownName, type User, wholeName } from '../../src/directory/user.ts';
import { cityOf } from '../../src/directory/zone-names.ts';
import { person, ROLES } from './people.ts';

/** Enough that a value which a half of them share fills more than one window of the filter walk. */
export const COUNT = 5000;
const ZONES = ['Europe/Istanbul', 'America/New_York'] as const;
const NAMES_USED = ['Ada', 'Émile', 'İpek', 'O%_*', 'Zoë', "D'Arc", 'Ståle'] as const;

/** A crowd whose values overlap in every way; numbers of the dialects run in different orders. */
export function crowd(): User[] {
  return Array.from({ length: COUNT }, (_, at) => {
    const number = at + 1;
    const firstName = NAMES_USED[number % NAMES_USED.length] ?? '';
    const lastName = number % 11 === 0 ? '' : `Last${number % 50}`;
    return person(number, {
      email: number % 3 === 0 ? null : `Person${number}@Example.com`,
      firstName,
      lastName,
      displayName: number % 13 === 0 ? `Shown ${number % 4}` : null,
      role: ROLES[number % 1009 === 0 ? 2 : number % 2] ?? ROLES[0],
      timezone: ZONES[number % 2] ?? 'UTC',
      callerIdGroup: number % 5 === 0 ? null : `Group ${number % 2}`,
      sipAccount: number % 4 === 0 ? null : `Sip${number % 2000}@sip`,
      extensions: number % 7 === 0 ? [] : [String(10_000 + number), String(90_000 + number)],
      loginBasedCalling: number % 2 === 0,
      internationalCalling: number % 17 === 0,
      webLogin: number !== 4321,
      status: number % 19 === 0 ? 'inactive' : 'active',
      dialectNumbers: { alpha: COUNT + 1 - number, beta: number * 3, gamma: number * 400_000 },
    });
  });
}

const FLAG_OF: Readonly<Record<Flag, (user: User) => boolean>> = {
  hasExtension: (user) => user.extensions.length > 0,
  loginBasedCalling: (user) => user.loginBasedCalling,
  internationalCalling: (user) => user.internationalCalling,
  webLogin: (user) => user.webLogin,
  active: (user) => user.status === 'active',
};

const same = (value: string | null, wanted: string) => value !== null && fold(value) === fold(wanted);
const FILTER_OF: Readonly<Record<Filter, (user: User, wanted: string) => boolean>> = {
  name: (user, wanted) => same(shownName(user), wanted),
  email: (user, wanted) => same(user.email, wanted),
  sipAccount: (user, wanted) => same(user.sipAccount, wanted),
  role: (user, wanted) => same(user.role.name, wanted),
  extension: (user, wanted) => user.extensions.includes(wanted),
  callerIdGroup: (user, wanted) => same(user.callerIdGroup, wanted),
  timezone: (user, wanted) => same(user.timezone, wanted) || same(cityOf(user.timezone), wanted),
};

const folded = new WeakMap<object, Set<string>>();

function wantedTexts(match: Extract<Match, { kind: 'any-of' }>): Set<string> {
  const known = folded.get(match) ?? new Set(match.texts.map(fold));
  folded.set(match, known);
  return known;
}

/** Who matches, worked out the slow way. */
export function matches(user: User, dialect: string, match: Match): boolean {
  const number = user.dialectNumbers[dialect] ?? 0;
  switch (match.kind) {
    case 'everyone':
      return true;
    case 'any-of': {
      const texts = wantedTexts(match);
      return (
        texts.has(String(number)) ||
        [user.email, user.firstName, user.lastName, wholeName(user)].some(
          (each) => each !== null && each !== '' && texts.has(fold(each)),
        )
      );
    }
    case 'flagged':
      return FLAGS.every(
        (flag) => match.flags[flag] === undefined || match.flags[flag] === FLAG_OF[flag](user),
      );
    case 'numbered':
      return match.numbers.includes(number);
    case 'filtered':
      return (
        (match.number === undefined || match.number === number) &&
        FILTER_NAMES.every((filter) => {
          const wanted = match.filters[filter];
          return wanted === undefined || FILTER_OF[filter](user, wanted);
        })
      );
  }
}

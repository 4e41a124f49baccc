import { isTimeZone } from './time-zone.ts';

/** Words in the names that Node takes without listing them, where they are not spelled with one capital. */
const WORDS: ReadonlyMap<string, string> = new Map(
  [
    ...[
      'ACT',
      'CDT',
      'CET',
      'CHAT',
      'CST',
      'EDT',
      'EET',
      'EST',
      'GB',
      'GMT',
      'HST',
      'IN',
      'LHI',
      'MDT',
      'MET',
    ],
    ...['MST', 'NSW', 'NZ', 'PDT', 'PRC', 'PST', 'ROC', 'ROK', 'SU', 'UCT', 'US', 'UTC', 'W', 'WET'],
    ...['BajaNorte', 'BajaSur', 'ComodRivadavia', 'DeNoronha', 'EasterIsland'],
  ].map((word) => [word.toLowerCase(), word]),
);

let listed: ReadonlyMap<string, string> | undefined;

/** The time zone of that name, in the IANA database's own capitals; null where there is none. */
export function findTimeZone(name: string): string | null {
  if (!isTimeZone(name)) return null;
  listed ??= new Map(Intl.supportedValuesOf('timeZone').map((each) => [each.toLowerCase(), each]));
  // Intl also tells a zone by its name, but turns Asia/Kolkata into the Asia/Calcutta that it was called once.
  return listed.get(name.toLowerCase()) ?? name.toLowerCase().replaceAll(/[a-z]+/g, spell);
}

function spell(word: string): string {
  return WORDS.get(word) ?? `${word[0]?.toUpperCase()}${word.slice(1)}`;
}

/** The last part of a zone's name, underscores as spaces: "Istanbul" (Voiso's `timezone`). */
export function cityOf(zone: string): string {
  return zone.slice(zone.lastIndexOf('/') + 1).replaceAll('_', ' ');
}

const AREAS: readonly string[] = [
  ...['Etc', 'Asia', 'Europe', 'America', 'Africa', 'Australia', 'Pacific', 'Atlantic', 'Indian'],
  ...['Antarctica', 'Arctic', 'America/Argentina', 'America/Indiana', 'America/Kentucky'],
  ...['America/North_Dakota', 'US', 'Canada', 'Brazil', 'Chile', 'Mexico'],
];

let cities: Map<string, string> | undefined;

/** The zone whose city has this name, case-blind; null if there is none. */
export function zoneForCity(city: string): string | null {
  if (cities === undefined) {
    cities = new Map();
    for (const name of ['UTC', ...Intl.supportedValuesOf('timeZone'), 'Asia/Kolkata', 'Europe/Kyiv']) {
      const key = cityOf(name).toLowerCase();
      if (!cities.has(key)) cities.set(key, name);
    }
  }
  const found = cities.get(city.trim().toLowerCase());
  if (found !== undefined) return found;
  // Names that Node takes but does not list: newer spellings, the Etc zones, old links.
  const name = city.trim().replaceAll(' ', '_');
  for (const each of [name, ...AREAS.map((area) => `${area}/${name}`)]) {
    const zone = findTimeZone(each);
    if (zone !== null) return zone;
  }
  return null;
}

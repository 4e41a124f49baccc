/**
 * Time zones, on the zone data that Node carries (ICU). An Intl call costs microseconds, so the changes
 * of a zone's offset in a year are looked up once and kept: a page of users asks for dozens of offsets.
 */

const MINUTE = 60_000;
const DAY = 86_400_000;

/** The zones that stand for an offset given without a name, each with that standard offset. */
const ZONE_FOR_OFFSET: Readonly<Record<string, string>> = {
  '-8.00': 'America/Los_Angeles',
  '-7.00': 'America/Denver',
  '-6.00': 'America/Chicago',
  '-5.00': 'America/New_York',
  '5.50': 'Asia/Kolkata',
};

/** The offsets of one zone in one year (UTC): offsets[i] holds before changes[i]. Minutes east of UTC. */
interface Year {
  /** The first instant of the year, and of the next. */
  readonly start: number;
  readonly end: number;
  readonly changes: number[];
  readonly offsets: number[];
}

interface Zone {
  readonly format: Intl.DateTimeFormat;
  readonly years: Map<number, Year>;
  /** The year that was asked for last: the next question is mostly about it, too. */
  recent: Year | null;
  /** The standard offset, and the year that it was worked out for. */
  standard: number;
  standardYear: number;
}

const zones = new Map<string, Zone | null>();

function openZone(name: string): Zone | null {
  const known = zones.get(name);
  if (known !== undefined) return known;
  let zone: Zone | null = null;
  // Intl also takes offsets such as "+05:30"; those are no zone names.
  if (/^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/.test(name)) {
    try {
      const format = new Intl.DateTimeFormat('en-US', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      });
      zone = { format, years: new Map(), recent: null, standard: 0, standardYear: Number.NaN };
    } catch {
      zone = null;
    }
  }
  // Names come from outside: what is unknown is not remembered without end.
  if (zone !== null || zones.size < 2000) zones.set(name, zone);
  return zone;
}

/** Minutes east of UTC at an instant, straight from Intl. */
function readOffset(zone: Zone, at: number): number {
  const parts: Record<string, number> = {};
  for (const part of zone.format.formatToParts(at)) parts[part.type] = Number(part.value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Math.round((Date.UTC(year, month - 1, day, hour, minute, second) - at) / MINUTE);
}

/** No zone changes its offset twice within this long: Morocco's pause for Ramadan lasts 30 days. */
const STEP = 20 * DAY;

function readYear(zone: Zone, year: number): Year {
  const start = Date.UTC(year, 0, 1);
  const end = Date.UTC(year + 1, 0, 1);
  let at = start;
  let offset = readOffset(zone, at);
  const result: Year = { start, end, changes: [], offsets: [offset] };
  while (at < end) {
    const next = Math.min(at + STEP, end);
    const nextOffset = readOffset(zone, next);
    if (nextOffset !== offset) {
      let low = at;
      let high = next;
      while (high - low > MINUTE) {
        const middle = Math.floor((low + high) / 2 / MINUTE) * MINUTE;
        if (readOffset(zone, middle) === offset) low = middle;
        else high = middle;
      }
      result.changes.push(high);
      result.offsets.push(nextOffset);
      offset = nextOffset;
    }
    at = next;
  }
  return result;
}

function offsetIn(zone: Zone, at: number): number {
  let year = zone.recent;
  if (year === null || at < year.start || at >= year.end) {
    const number = new Date(at).getUTCFullYear();
    year = zone.years.get(number) ?? readYear(zone, number);
    zone.years.set(number, year);
    zone.recent = year;
  }
  let index = 0;
  while (index < year.changes.length && (year.changes[index] as number) <= at) index += 1;
  return year.offsets[index] as number;
}

function need(name: string): Zone {
  const zone = openZone(name);
  if (zone === null) throw new RangeError('not a time zone');
  return zone;
}

/** The names of three letters that the IANA database has. */
const THREE_LETTERS = /^(CET|EET|EST|GMT|HST|MET|MST|PRC|ROC|ROK|UCT|UTC|WET)$/i;

/** Whether a text is the name of a time zone of the IANA database, as far as Node knows them, in any capitals. */
export function isTimeZone(name: string): boolean {
  // ICU has more of its own, which say something else than is meant by them: IST is India's alone, BST Bangladesh's.
  return (name.length !== 3 || THREE_LETTERS.test(name)) && openZone(name) !== null;
}

/** Minutes east of UTC that a zone's clocks show at an instant. */
export function offsetMinutes(zone: string, at: number): number {
  return offsetIn(need(zone), at);
}

/** The zone's standard (winter) offset in the year of `now`, in minutes east of UTC. */
export function standardOffsetMinutes(zoneName: string, now: number): number {
  const zone = need(zoneName);
  const year = new Date(now).getUTCFullYear();
  if (zone.standardYear !== year) {
    zone.standard = Math.min(offsetIn(zone, Date.UTC(year, 0, 1)), offsetIn(zone, Date.UTC(year, 6, 1)));
    zone.standardYear = year;
  }
  return zone.standard;
}

const hours = new Map<number, string>();

/** An offset in hours with two decimals: "-8.00", "5.50" (Convoso's `local_gmt`). */
export function formatHours(minutes: number): string {
  let text = hours.get(minutes);
  if (text === undefined) {
    text = (minutes / 60).toFixed(2);
    hours.set(minutes, text);
  }
  return text;
}

/**
 * A zone whose standard offset is the given hours text, the same one each time, or Etc/GMT where no zone has it;
 * null if the text is no offset.
 */
export function zoneForHours(hours: string, now: number): string | null {
  if (!/^[+-]?\d{1,2}(\.\d{1,2})?$/.test(hours)) return null;
  const minutes = Math.round(Number(hours) * 60);
  if (Math.abs(minutes) >= 24 * 60) return null;
  const known = ZONE_FOR_OFFSET[formatHours(minutes)];
  if (known !== undefined) return known;
  if (minutes === 0) return 'Etc/GMT';
  if (minutes % 60 === 0) {
    // The signs of the Etc zones are those of POSIX: Etc/GMT-3 is three hours ahead of UTC.
    const name = `Etc/GMT${minutes > 0 ? '-' : '+'}${Math.abs(minutes / 60)}`;
    return isTimeZone(name) ? name : 'Etc/GMT';
  }
  return (
    Intl.supportedValuesOf('timeZone').find((name) => standardOffsetMinutes(name, now) === minutes) ??
    'Etc/GMT'
  );
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

/** Dates as text, by day since 1970: users of one company share theirs, and Date takes a microsecond. */
const dates = new Map<number, string>();

function wallClock(at: number, offset: number, separator: string): string {
  const local = at + offset * MINUTE;
  const day = Math.floor(local / DAY);
  let date = dates.get(day);
  if (date === undefined) {
    date = new Date(day * DAY).toISOString().slice(0, 10);
    if (dates.size >= 5000) dates.clear();
    dates.set(day, date);
  }
  const second = Math.floor((local - day * DAY) / 1000);
  return `${date}${separator}${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
}

/** "YYYY-MM-DD HH:MM:SS" as a zone's clocks show it. */
export function formatLocal(at: number, zone: string): string {
  return wallClock(at, offsetMinutes(zone, at), ' ');
}

/** "YYYY-MM-DDTHH:MM:SS-0800": a zone's clocks, and their offset without a colon. */
export function formatWithOffset(at: number, zone: string): string {
  const offset = offsetMinutes(zone, at);
  const size = Math.abs(offset);
  return `${wallClock(at, offset, 'T')}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

/** Years from 1000 to 2999: a time moved between zones keeps its four digits. */
const LOCAL = /^([12]\d{3})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})$/;

/**
 * The bound of a range, as text, in a year that can be read. Clients send 0001-01-01 and 9999-12-31 for none:
 * such a year becomes one as long before or behind all that is kept, with the same calendar, which repeats
 * every 400 years.
 */
export function moveBound(text: string): string {
  return text.replace(/^(?!0000)\d{4}(?=-)/, (year) => {
    const inCycle = Number(year) % 400;
    if (year < '1000') return String(1200 + inCycle);
    return year < '3000' ? year : String(2400 + inCycle);
  });
}

/**
 * The instant at which a zone's clocks show "YYYY-MM-DD HH:MM:SS"; null if the text is no such time.
 * Of a time that the clocks show twice it is the first, unless the last is asked for; one that they skip
 * is taken as if the clocks had not been moved.
 */
export function parseLocal(text: string, zone: string, which: 'first' | 'last' = 'first'): number | null {
  const match = LOCAL.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const naive = Date.UTC(year, month - 1, day, hour, minute, second);
  if (wallClock(naive, 0, ' ') !== text.replace('T', ' ')) return null;
  const before = offsetMinutes(zone, naive - DAY);
  const after = offsetMinutes(zone, naive + DAY);
  // The further east the clocks are, the sooner they show a time.
  const shown = [Math.max(before, after), Math.min(before, after)]
    .map((offset) => ({ offset, at: naive - offset * MINUTE }))
    .filter(({ offset, at }) => offsetMinutes(zone, at) === offset);
  return (which === 'first' ? shown.at(0) : shown.at(-1))?.at ?? naive - before * MINUTE;
}

/** An ISO 8601 instant with its offset ("...-0800", "...-08:00" or "...Z"); null if it is none. */
export function parseInstant(text: string): number | null {
  // The form in which our own exports have it: that it is a time is told by writing it back.
  if (/^[12].{18}\.\d{3}Z$/.test(text)) {
    const at = Date.parse(text);
    if (!Number.isNaN(at) && text.startsWith(wallClock(at, 0, 'T'))) return at;
  }
  const match = /^([12]\d{3}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})$/.exec(text);
  if (match === null) return null;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const offset = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  // Date.parse takes 30 February for a day in March, and 24:00 for the next day's start.
  const wall = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(wall) || wallClock(wall, 0, 'T') !== `${date}T${time}`) return null;
  const at = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${offset}`);
  return Number.isNaN(at) ? null : at;
}

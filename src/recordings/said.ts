import type { ContactCenter } from '../access/contact-center.ts';
import { MAX_NUMBER, RowReader } from '../directory/patch.ts';
import type { UserPages } from '../directory/ports.ts';
import { parseInstant, parseLocal } from '../directory/time-zone.ts';
import type { JsonObject } from '../directory/user.ts';
import { DIRECTIONS, type Direction, type NewRecording } from './recording.ts';
import type { Expected } from './take-in.ts';

const DAY = 86_400_000;
/** Lead ids are those of vendors, and no longer than a JSON number holds. */
const MOST_ID = Number.MAX_SAFE_INTEGER;
/** A hundred years, as the retention of a contact center. */
const MOST_DAYS = 36_500;
/** Unknown fields that are told of at most. */
const MOST_TOLD = 10;
/** The longest call that is taken for one, in seconds: a week. */
const MOST_SECONDS = 604_800;

const DIRECTION_WORDS = Object.fromEntries(DIRECTIONS.map((word) => [word, word])) as Record<
  string,
  Direction
>;

/** Everything that may be said of a recording when it is taken in, by request, flag, or row of a manifest. */
export const SAID_FIELDS = [
  'user',
  'userNumber',
  'startedAt',
  'endedAt',
  'seconds',
  'leadId',
  'callId',
  'direction',
  'remoteNumber',
  'keepUntil',
  'keepDays',
  'legalHold',
  'bytes',
  'sha256',
] as const;

export interface Said {
  readonly said: NewRecording;
  readonly expected: Expected;
}

function readTime(row: RowReader, field: string, timezone: string): number | null {
  const text = row.text(field);
  if (text === undefined || text === '') return null;
  const at = parseInstant(text) ?? parseLocal(text, timezone);
  if (at === null) {
    row.problem(
      field,
      "must be a time such as 2026-03-01T08:00:00Z, or without a zone in the contact center's",
    );
  }
  return at;
}

/** A short text that has no line breaks and the like; null where nothing is said. */
function readWord(row: RowReader, field: string, most: number): string | null {
  const text = row.text(field, most);
  if (text === undefined || text === '') return null;
  if (/[\u0000-\u001f\u007f]/.test(text)) row.problem(field, 'holds a control character');
  return text;
}

function readKeepUntil(row: RowReader, timezone: string, startedAt: number | null): number | null {
  const until = readTime(row, 'keepUntil', timezone);
  const days = row.whole('keepDays', 1, MOST_DAYS);
  if (days === undefined) return until;
  if (until !== null) row.problem('keepDays', 'cannot stand beside keepUntil');
  return startedAt === null ? null : startedAt + days * DAY;
}

function readSha256(row: RowReader): string | null {
  const text = row.text('sha256');
  if (text === undefined || text === '') return null;
  if (!/^[0-9a-f]{64}$/i.test(text)) row.problem('sha256', 'must be 64 hexadecimal digits');
  return text.toLowerCase();
}

/** Whose call it was: `user` is an email or login id, `userNumber` the user's own number. */
async function readUser(row: RowReader, contactCenter: ContactCenter, users: UserPages): Promise<number> {
  const text = row.text('user') ?? '';
  const number = row.whole('userNumber', 1, MAX_NUMBER);
  if (text !== '' && number !== undefined) row.problem('userNumber', 'cannot stand beside user');
  if (number !== undefined) return number;
  if (text === '') row.problem('user', 'must be the email of a user');
  const found = text === '' ? null : await users.findNumber(contactCenter, text);
  if (found === null && text !== '') row.problem('user', 'is nobody in this contact center');
  return found ?? 0;
}

/**
 * Reads what is said of a recording that is to be taken in: an object with some of SAID_FIELDS. Empty texts
 * and null say nothing. `user` (or `userNumber`) and `startedAt` are needed; times without a zone are in the
 * contact center's.
 * @throws Failure invalid with every problem found
 */
export async function readSaid(
  contactCenter: ContactCenter,
  value: JsonObject,
  deps: { readonly users: UserPages; readonly now: number },
): Promise<Said> {
  const given = Object.entries(value).filter(([, each]) => each !== null && each !== '');
  const row = new RowReader(Object.fromEntries(given));
  const { timezone } = contactCenter;
  const startedAt = readTime(row, 'startedAt', timezone);
  const endedAt = readTime(row, 'endedAt', timezone);
  if (row.value('startedAt') === undefined) row.problem('startedAt', 'is needed');
  if (startedAt !== null && (startedAt < 0 || startedAt > deps.now + DAY)) {
    row.problem('startedAt', 'must lie between 1970 and now');
  }
  if (startedAt !== null && endedAt !== null) {
    if (endedAt < startedAt || endedAt > startedAt + MOST_SECONDS * 1000) {
      row.problem('endedAt', 'must lie within a week after startedAt');
    }
  }
  const said: NewRecording = {
    userNumber: await readUser(row, contactCenter, deps.users),
    leadId: row.whole('leadId', 1, MOST_ID) ?? null,
    callId: readWord(row, 'callId', 255),
    direction: row.word('direction', DIRECTION_WORDS) ?? null,
    remoteNumber: readWord(row, 'remoteNumber', 64),
    startedAt: startedAt ?? 0,
    endedAt,
    seconds: row.whole('seconds', 0, MOST_SECONDS) ?? null,
    keepUntil: readKeepUntil(row, timezone, startedAt),
    legalHold: row.flag('legalHold') ?? false,
  };
  const expected = { bytes: row.whole('bytes', 1, MOST_ID) ?? null, sha256: readSha256(row) };
  const unknown = Object.keys(row.rest());
  if (unknown.length > 0) {
    // Their names come from outside, and may hold anything: they are told by where they stand.
    const names = Object.keys(value);
    const places = unknown.slice(0, MOST_TOLD).map((name) => names.indexOf(name) + 1);
    const more = unknown.length > places.length ? ' and others' : '';
    row.problem(
      'fields',
      `unknown at place ${places.join(', ')}${more} of ${names.length}; those that are known: ${SAID_FIELDS.join(', ')}`,
    );
  }
  row.check();
  return { said, expected };
}

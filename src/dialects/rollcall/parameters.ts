import type { FastifyRequest } from 'fastify';
import type { ContactCenter } from '../../access/contact-center.ts';
import type { UserPages } from '../../directory/ports.ts';
import { moveBound, parseInstant, parseLocal } from '../../directory/time-zone.ts';
import { Failure } from '../../errors.ts';
import type { Query } from '../../http/query.ts';
import type { RecordingQuery } from '../../recordings/query.ts';
import { STATES } from '../../recordings/recording.ts';

const USUAL_LIMIT = 50;
const MOST_LIMIT = 1000;
/** Users in one list. */
const MOST_USERS = 500;

/** A list's place in the order of recordings, as a cursor. Opaque to clients; whatever they make of it is a place. */
export function encodeCursor({ startedAt, number }: { startedAt: number; number: number }): string {
  return Buffer.from(`${startedAt}.${number}`).toString('base64url');
}

function decodeCursor(text: string): { startedAt: number; number: number } | null {
  const match = /^(-?\d{1,15})\.(\d{1,10})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  return match === null ? null : { startedAt: Number(match[1]), number: Number(match[2]) };
}

/** Reads parameters, noting every problem. */
class ParameterReader {
  readonly #query: Query;
  readonly #problems: Record<string, string[]> = {};

  constructor(query: Query) {
    this.#query = query;
  }

  problem(name: string, text: string): void {
    this.#problems[name] = [text];
  }

  /** A comma list, sent once or more, without blanks. */
  list(name: string): string[] | null {
    const value = this.#query[name];
    if (value === undefined) return null;
    return [value]
      .flat()
      .flatMap((part) => part.split(','))
      .map((part) => part.trim())
      .filter((part) => part !== '');
  }

  /** What a parameter that is sent once stands for; null where it is absent. */
  one<T>(name: string, form: string, read: (text: string) => T | null): T | null {
    const value = this.#query[name];
    if (value === undefined) return null;
    const result = typeof value === 'string' ? read(value) : null;
    if (result === null) this.problem(name, form);
    return result;
  }

  whole(name: string, least: number, most: number): number | null {
    return this.one(name, `must be a whole number from ${least} to ${most}`, (text) => {
      const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return number >= least && number <= most ? number : null;
    });
  }

  /** @throws Failure invalid with every problem found */
  check(): void {
    const names = Object.keys(this.#problems);
    if (names.length === 0) return;
    throw new Failure('invalid', `${names.join(', ')}: see errors`, { fields: this.#problems });
  }
}

const TIME = "must be a time such as 2026-03-01T08:00:00Z, or without a zone in the contact center's";

/** A bound of a range in milliseconds. An end without fractions takes in all of its second. */
function readTime(text: string, timezone: string, isEnd: boolean): number | null {
  const bound = moveBound(text);
  const at = parseInstant(bound) ?? parseLocal(bound, timezone, isEnd ? 'last' : 'first');
  return at !== null && isEnd && !text.includes('.') ? at + 999 : at;
}

/** The own numbers of the users that a list asks for; null where it asks for none. */
async function readUsers(
  reader: ParameterReader,
  contactCenter: ContactCenter,
  pages: UserPages,
): Promise<number[] | null> {
  const texts = reader.list('user');
  const numbers = reader.list('userNumber');
  if (texts === null && numbers === null) return null;
  if ((texts?.length ?? 0) + (numbers?.length ?? 0) > MOST_USERS) {
    reader.problem('user', `must be at most ${MOST_USERS} users`);
    return [];
  }
  const found = new Set<number>();
  for (const text of numbers ?? []) {
    if (/^[1-9]\d{0,9}$/.test(text)) found.add(Number(text));
    else reader.problem('userNumber', 'must be whole numbers from 1');
  }
  for (const text of texts ?? []) {
    const number = await pages.findNumber(contactCenter, text);
    if (number !== null) found.add(number);
  }
  return [...found];
}

/** Reads what a list of recordings asks for. @throws Failure invalid */
export async function decodeList(
  request: FastifyRequest,
  contactCenter: ContactCenter,
  pages: UserPages,
): Promise<RecordingQuery> {
  const reader = new ParameterReader(request.query as Query);
  const { timezone } = contactCenter;
  const userNumbers = await readUsers(reader, contactCenter, pages);
  const leadId = reader.whole('leadId', 0, Number.MAX_SAFE_INTEGER);
  const from = reader.one('from', TIME, (text) => readTime(text, timezone, false));
  const to = reader.one('to', TIME, (text) => readTime(text, timezone, true));
  const words = reader.list('state');
  const states = STATES.filter((state) => words?.includes(state));
  if (words !== null && (words.length === 0 || words.some((word) => !STATES.some((each) => each === word)))) {
    reader.problem('state', `must be some of ${STATES.join(', ')}`);
  }
  const minSeconds = reader.whole('minSeconds', 0, 2_147_483_647);
  const limit = reader.whole('limit', 1, MOST_LIMIT) ?? USUAL_LIMIT;
  const after = reader.one('cursor', 'must be one that an answer gave', decodeCursor);
  reader.check();
  return {
    ...(userNumbers === null ? {} : { userNumbers }),
    ...(leadId === null ? {} : { leadId }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
    ...(words === null ? {} : { states }),
    ...(minSeconds === null ? {} : { minSeconds }),
    ...(after === null ? {} : { after }),
    limit,
    count: 'none',
  };
}

/** The number in a recording's path; null for what is none. */
export function decodeNumber({ params }: FastifyRequest): number | null {
  const { number = '' } = params as Readonly<Record<string, string>>;
  return /^[1-9]\d{0,9}$/.test(number) ? Number(number) : null;
}

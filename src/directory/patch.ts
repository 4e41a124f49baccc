import { Failure } from '../errors.ts';
import { isStorable } from './fold.ts';
import type { Json, JsonObject, User } from './user.ts';

/** A role or team as a file names it: by number, by name, or by both. */
export interface NamedRef {
  readonly number?: number;
  readonly name?: string;
}

type Plain = Omit<
  User,
  'id' | 'number' | 'dialectNumbers' | 'role' | 'teams' | 'supervisedTeams' | 'version'
>;

/** What one row of a file says of a user: only the fields that its format carries. */
export type UserPatch = Partial<Plain> & {
  /** Native format only: who the row is about. */
  readonly id?: string;
  readonly number?: number;
  readonly dialectNumbers?: Readonly<Record<string, number>>;
  readonly role?: NamedRef;
  readonly teams?: readonly NamedRef[];
  readonly supervisedTeams?: readonly NamedRef[];
  /** A name given whole. */
  readonly name?: string;
  /** The first extension, where a format shows one; null says nothing of the others. */
  readonly extension?: string | null;
};

/** The longest text that a field of a user may hold, in UTF-16 units. */
export const MAX_TEXT = 1000;
/** The longest JSON text of the vendor fields that are only kept. */
const MAX_EXTRA = 65_536;
/** Dialect numbers are int32, as Smartflo's `last_seen_id` is. */
export const MAX_NUMBER = 2 ** 31 - 1;
/**
 * The greatest number that others are counted on from. A file may bring greater ones, up to MAX_NUMBER;
 * they leave room for the numbers that are chosen here.
 */
export const MAX_COUNTED = 1_000_000_000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads the fields of one row, collecting what is wrong with each. Problems name fields and rules, never
 * values: they end up in terminals and logs.
 */
export class RowReader {
  readonly #row: JsonObject;
  /** Null where the fields are known beforehand, which spares noting each. */
  readonly #read: Set<string> | null;
  readonly #known: ReadonlySet<string>;
  /** A map: fields may be named as what every object has. */
  #problems: Map<string, string[]> | null = null;

  /** @param known every field that is asked for; without it, they are noted as they are asked for */
  constructor(row: JsonObject, known?: ReadonlySet<string>) {
    this.#row = row;
    this.#read = known === undefined ? new Set() : null;
    this.#known = known ?? (this.#read as Set<string>);
  }

  /** The raw value; undefined where the row has no such field. */
  value(field: string): Json | undefined {
    this.#read?.add(field);
    return Object.hasOwn(this.#row, field) ? this.#row[field] : undefined;
  }

  problem(field: string, text: string): undefined {
    this.#problems ??= new Map();
    const problems = this.#problems.get(field);
    if (problems === undefined) this.#problems.set(field, [text]);
    else problems.push(text);
    return undefined;
  }

  /** A text, trimmed; numbers are taken as texts. Null and absence are told apart. */
  textOrNull(field: string, most = MAX_TEXT): string | null | undefined {
    const value = this.value(field);
    if (value === undefined || value === null) return value;
    return this.asText(field, value, most);
  }

  /** A text, trimmed; null counts as empty. */
  text(field: string, most = MAX_TEXT): string | undefined {
    const value = this.textOrNull(field, most);
    return value === null ? '' : value;
  }

  asText(field: string, value: Json, most = MAX_TEXT): string | undefined {
    if (typeof value !== 'string' && typeof value !== 'number') return this.problem(field, 'must be a text');
    const text = String(value).trim();
    if (text.length > most) return this.problem(field, `must be at most ${most} characters long`);
    if (!isStorable(text)) return this.problem(field, 'holds a character that cannot be stored');
    return text;
  }

  /** A whole number between two bounds, also written as digits. */
  whole(field: string, least: number, most: number): number | undefined {
    return this.asWhole(field, least, most, this.value(field));
  }

  asWhole(field: string, least: number, most: number, value: Json | undefined): number | undefined {
    if (value === undefined || value === null) return undefined;
    const number = typeof value === 'string' && /^\d{1,15}$/.test(value.trim()) ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isInteger(number) || number < least || number > most) {
      return this.problem(field, `must be a whole number from ${least} to ${most}`);
    }
    return number;
  }

  /** One of a few words. */
  word<T extends string>(field: string, words: Readonly<Record<string, T>>): T | undefined {
    const value = this.value(field);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && Object.hasOwn(words, value)) return words[value];
    const key =
      typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : '';
    const found = Object.hasOwn(words, key.trim()) ? words[key.trim()] : undefined;
    return found ?? this.problem(field, `must be one of ${Object.keys(words).join(', ')}`);
  }

  /** Yes or no in any of the spellings that files use. */
  flag(field: string): boolean | undefined {
    const value = this.value(field);
    if (typeof value === 'boolean') return value;
    if (value === undefined || value === null || value === '') return undefined;
    const text = String(value).toLowerCase();
    if (['true', '1', 'y', 'yes'].includes(text)) return true;
    if (['false', '0', 'n', 'no'].includes(text)) return false;
    return this.problem(field, 'must be yes or no (true, false, 1, 0, Y or N)');
  }

  /** A list, or undefined where the field is absent or null. */
  list(field: string): readonly Json[] | undefined {
    const value = this.value(field);
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) return this.problem(field, 'must be a list');
    if (value.length > 1000) return this.problem(field, 'must have at most 1000 items');
    return value;
  }

  /** Digit strings; numbers are taken too. */
  extensions(field: string): string[] | undefined {
    const found = this.each(field, (value) => this.asExtension(field, value));
    return found === undefined || found.length < 2 ? found : [...new Set(found)];
  }

  /** What is read of each item of a list, without those of which nothing is. */
  each<T>(field: string, read: (item: Json) => T | undefined): T[] | undefined {
    const list = this.list(field);
    if (list === undefined) return undefined;
    const all: T[] = [];
    for (const item of list) {
      const one = read(item);
      if (one !== undefined) all.push(one);
    }
    return all;
  }

  asExtension(field: string, value: Json): string | undefined {
    const text = typeof value === 'number' ? String(value) : value;
    if (typeof text !== 'string' || !/^\d{1,15}$/.test(text.trim())) {
      return this.problem(field, 'must be 1 to 15 digits');
    }
    return text.trim();
  }

  /** The fields that nobody asked for: what a vendor sends and the domain does not model. */
  rest(): JsonObject {
    const unread = Object.keys(this.#row).filter((field) => !this.#known.has(field) && field !== '_rejected');
    if (unread.length === 0) return EMPTY;
    const rest = Object.fromEntries(unread.map((field) => [field, this.#row[field] as Json]));
    const text = JSON.stringify(rest);
    if (text.length > MAX_EXTRA) {
      this.problem('the other fields', `must be at most ${MAX_EXTRA} characters long`);
    }
    if (/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i.test(text)) {
      this.problem('the other fields', 'hold a character that cannot be stored');
    }
    return rest;
  }

  /** @throws Failure invalid with every problem found. */
  check(): void {
    if (this.#problems === null) return;
    const problems = [...this.#problems];
    throw new Failure(
      'invalid',
      problems.map(([field, texts]) => `${field}: ${texts.join('; ')}`).join(', '),
      { fields: Object.fromEntries(problems) },
    );
  }

  /** Gives the patch without its undefined fields. @throws Failure invalid with every problem found. */
  finish(patch: { readonly [F in keyof UserPatch]: UserPatch[F] | undefined }): UserPatch {
    this.check();
    if (isWhole(patch)) return patch;
    const finished: Record<string, unknown> = {};
    for (const field in patch) {
      const value = patch[field as keyof UserPatch];
      if (value !== undefined) finished[field] = value;
    }
    return finished;
  }
}

/** Whether a patch has all of its fields: then it need not be copied. */
function isWhole(patch: { readonly [F in keyof UserPatch]: UserPatch[F] | undefined }): patch is UserPatch {
  for (const field in patch) {
    if (patch[field as keyof UserPatch] === undefined) return false;
  }
  return true;
}

const EMPTY: JsonObject = Object.freeze({});

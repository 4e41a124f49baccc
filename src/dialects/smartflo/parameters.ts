import { MAX_NUMBER } from '../../directory/patch.ts';
import type { Flag } from '../../directory/query.ts';
import { Failure } from '../../errors.ts';
import type { Query } from '../../http/query.ts';

/** The vendor's filters and ours. */
const FLAGS: Readonly<Record<string, Flag>> = {
  is_extension_created: 'hasExtension',
  is_login_based_calling: 'loginBasedCalling',
  is_international_calling: 'internationalCalling',
  is_web_login: 'webLogin',
  user_status: 'active',
};

const WORDS: Readonly<Record<string, boolean>> = { true: true, '1': true, false: false, '0': false };

export interface ListParameters {
  readonly after: number;
  readonly limit: number;
  readonly flags: Readonly<Partial<Record<Flag, boolean>>>;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1000;

/** Reads the seven parameters. @throws Failure invalid with every bad one */
export function decodeList(query: Query): ListParameters {
  const problems: Record<string, string[]> = {};
  const whole = (name: string, least: number, most: number, text: string, absent: number): number => {
    const value = query[name];
    if (value === undefined) return absent;
    const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    problems[name] = [text];
    return absent;
  };

  const after = whole('last_seen_id', 0, MAX_NUMBER, 'must be an integer from 0 to 2147483647', 0);
  const limit = whole('limit', 1, Number.POSITIVE_INFINITY, 'must be an integer from 1', DEFAULT_LIMIT);
  const flags: Partial<Record<Flag, boolean>> = {};
  for (const [name, flag] of Object.entries(FLAGS)) {
    const value = query[name];
    if (value === undefined) continue;
    const word = typeof value === 'string' ? value.toLowerCase() : '';
    const isSet = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
    if (isSet === undefined) problems[name] = ['must be true, false, 1 or 0'];
    else flags[flag] = isSet;
  }
  if (Object.keys(problems).length > 0) throw new Failure('invalid', 'bad parameters', { fields: problems });
  return { after, limit: Math.min(limit, MAX_LIMIT), flags };
}

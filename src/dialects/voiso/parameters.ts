import type { Filter, Match } from '../../directory/query.ts';
import { Failure } from '../../errors.ts';
import type { Query } from '../../http/query.ts';

/** The vendor's filters and ours. */
const FILTERS: Readonly<Record<string, Filter>> = {
  name: 'name',
  email: 'email',
  sip_account: 'sipAccount',
  sag: 'role',
  extension: 'extension',
  caller_id: 'callerIdGroup',
  timezone: 'timezone',
};

export interface ListParameters {
  readonly match: Match;
  readonly offset: number;
  /** Null for the whole directory. */
  readonly limit: number | null;
}

const MAX_LIMIT = 1000;

/** Reads the filters and the page; an empty parameter counts as not sent. @throws Failure invalid with every bad one */
export function decodeList(query: Query): ListParameters {
  const problems: Record<string, string[]> = {};
  const single = (name: string): string | undefined => {
    const value = query[name];
    if (Array.isArray(value)) {
      problems[name] = ['must be sent once'];
      return undefined;
    }
    return value === undefined || value.trim() === '' ? undefined : value.trim();
  };
  const whole = (name: string, least: number, most: number, text: string): number | undefined => {
    const value = single(name);
    if (value === undefined) return undefined;
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    problems[name] = [text];
    return undefined;
  };

  const number = whole('id', 0, Number.POSITIVE_INFINITY, 'must be an integer');
  const filters: Partial<Record<Filter, string>> = {};
  for (const [name, filter] of Object.entries(FILTERS)) {
    const value = single(name);
    if (value !== undefined) filters[filter] = value;
  }
  const limit = whole('limit', 1, MAX_LIMIT, `must be an integer from 1 to ${MAX_LIMIT}`);
  const offset = whole('offset', 0, Number.MAX_SAFE_INTEGER, 'must be an integer from 0');
  if (Object.keys(problems).length > 0) throw new Failure('invalid', 'bad parameters', { fields: problems });

  const isFiltered = number !== undefined || Object.keys(filters).length > 0;
  return {
    match: isFiltered
      ? { kind: 'filtered', filters, ...(number === undefined ? {} : { number: Math.min(number, 2 ** 40) }) }
      : { kind: 'everyone' },
    offset: offset ?? 0,
    limit: limit ?? null,
  };
}

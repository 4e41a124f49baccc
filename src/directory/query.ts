import type { User } from './user.ts';

/** The yes-or-no facts of a user that a page can be filtered by. */
export const FLAGS = [
  'hasExtension',
  'loginBasedCalling',
  'internationalCalling',
  'webLogin',
  'active',
] as const;
export type Flag = (typeof FLAGS)[number];

/** Text fields that a page can be filtered by, each compared with the folded value. */
export const FILTERS = [
  'name',
  'email',
  'sipAccount',
  'role',
  'extension',
  'callerIdGroup',
  'timezone',
] as const;
export type Filter = (typeof FILTERS)[number];

/** Which users a query is about. All that is given must hold. */
export type Match =
  | { readonly kind: 'everyone' }
  /** Users whose email, first name, last name, "first last" or dialect number is one of these texts. */
  | { readonly kind: 'any-of'; readonly texts: readonly string[] }
  /** Users with each of these values; `number` is the dialect number. */
  | {
      readonly kind: 'filtered';
      readonly number?: number;
      readonly filters: Readonly<Partial<Record<Filter, string>>>;
    }
  | { readonly kind: 'flagged'; readonly flags: Readonly<Partial<Record<Flag, boolean>>> }
  /** Users with one of these dialect numbers. */
  | { readonly kind: 'numbered'; readonly numbers: readonly number[] };

/** A page of users in the order of one dialect's numbers, ascending. */
export interface PageQuery<F extends UserField> {
  /** Whose numbers order the page. */
  readonly dialect: string;
  readonly match: Match;
  /** Only users with a greater dialect number. */
  readonly after?: number;
  /** Users to skip, counted after `after`. */
  readonly offset?: number;
  readonly limit: number;
  /** `exact` also counts every match; only where the wire shows a total. */
  readonly count: 'none' | 'exact';
  /** The fields that the caller reads; no others are fetched. The version alone is found without the users' rows. */
  readonly fields: readonly F[];
}

export type UserField = Exclude<keyof User, 'dialectNumbers'>;

/** A user on a page: the fields asked for, and the number in the page's dialect. */
export type Listed<F extends UserField> = Pick<User, F> & { readonly dialectNumber: number };

export interface Page<F extends UserField> {
  readonly users: Listed<F>[];
  /** Whether more users follow (found by reading one more than the limit). */
  readonly hasMore: boolean;
  /** Every match, where asked for. */
  readonly total: number | null;
}

/**
 * What one dialect needs the store to keep ready so that its pages are found without a scan. Given by the
 * dialect, filled for every user when the dialect first starts.
 */
export interface DialectIndex {
  readonly name: string;
  /** `names`: any-of searches. `filters`: name, role, callerIdGroup, timezone. `flags`: flagged pages. */
  readonly searches: readonly ('names' | 'filters' | 'flags')[];
}

/** Every field of a user that a file may carry, in the order of exports. */
export const USER_FIELDS_SHOWN = [
  'id',
  'number',
  'email',
  'loginId',
  'firstName',
  'lastName',
  'displayName',
  'status',
  'level',
  'role',
  'queueOverride',
  'allowQueueSelection',
  'allowCallbacks',
  'allowTransfers',
  'callbackTypes',
  'defaultBlended',
  'allowBlendedCampaign',
  'notifications',
  'alterCustomerData',
  'timezone',
  'connectionType',
  'extensions',
  'createdAt',
  'lastLoginAt',
  'sipAccount',
  'callerIdGroup',
  'webrtcRingtone',
  'teams',
  'supervisedTeams',
  'skills',
  'channels',
  'queues',
  'employeeId',
  'agent',
  'loginBasedCalling',
  'internationalCalling',
  'webLogin',
  'extra',
] as const satisfies readonly UserField[];

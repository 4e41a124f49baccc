import { withExtra } from '../../directory/extra.ts';
import type { FormatContext } from '../../directory/format.ts';
import { MAX_NUMBER, RowReader, type UserPatch } from '../../directory/patch.ts';
import type { Listed, UserField } from '../../directory/query.ts';
import {
  formatHours,
  formatLocal,
  formatWithOffset,
  parseInstant,
  parseLocal,
  standardOffsetMinutes,
  zoneForHours,
} from '../../directory/time-zone.ts';
import {
  CALLBACK_TYPES,
  type CallbackType,
  type ConnectionType,
  type JsonObject,
  LEVELS,
} from '../../directory/user.ts';

const SHARED_FIELDS = [
  'email',
  'firstName',
  'lastName',
  'status',
  'level',
  'role',
  'queueOverride',
  'allowQueueSelection',
  'allowCallbacks',
  'allowTransfers',
  'callbackTypes',
  'timezone',
  'connectionType',
  'extensions',
  'lastLoginAt',
  'extra',
] as const satisfies readonly UserField[];

/** What each profile reads of a user. */
export const COMMUNITY_FIELDS = SHARED_FIELDS;
export const OFFICIAL_FIELDS = [
  ...SHARED_FIELDS,
  'defaultBlended',
  'allowBlendedCampaign',
  'notifications',
  'alterCustomerData',
  'createdAt',
] as const satisfies readonly UserField[];

export type CommunityUser = Listed<(typeof COMMUNITY_FIELDS)[number]>;
export type OfficialUser = Listed<(typeof OFFICIAL_FIELDS)[number]>;

const oneOrZero = (value: boolean): string => (value ? '1' : '0');

/** Bit 0 is system, bit 1 personal: "0" none, "1" system, "2" personal, "3" both. */
function callbackBits(types: readonly CallbackType[]): string {
  return String(
    CALLBACK_TYPES.reduce((bits, type, at) => (types.includes(type) ? bits | (1 << at) : bits), 0),
  );
}

const COMMUNITY_CONNECTIONS: Readonly<Record<ConnectionType, string>> = {
  browser: 'softphone',
  softphone: 'softphone',
  voip: 'VoIP',
  desk_phone: 'desk_phone',
  mobile: 'mobile',
  im: 'IM',
};

function localGmt(timezone: string, now: number): string {
  return formatHours(standardOffsetMinutes(timezone, now));
}

function lastLogin(at: number | null, context: FormatContext): string | null {
  return at === null ? null : formatLocal(at, context.timezone);
}

/** One user as the official page shows them, its fields in its order. */
export function encodeOfficial(user: OfficialUser, context: FormatContext): JsonObject {
  const shown = {
    id: user.dialectNumber,
    acl_access_profile: user.role.number,
    email: user.email ?? '',
    first_name: user.firstName,
    last_name: user.lastName,
    user_level: LEVELS.indexOf(user.level) + 1,
    queue_override: user.queueOverride,
    allow_queue_selection: oneOrZero(user.allowQueueSelection),
    allow_callbacks: oneOrZero(user.allowCallbacks),
    callback_types_allowed: callbackBits(user.callbackTypes),
    allow_transfers: oneOrZero(user.allowTransfers),
    default_blended_selection: oneOrZero(user.defaultBlended),
    alter_custdata_override: user.alterCustomerData ? 'Y' : 'N',
    status: user.status === 'active' ? 'Y' : 'N',
    local_gmt: localGmt(user.timezone, context.now),
    allow_blended_campaign: oneOrZero(user.allowBlendedCampaign),
    notification: oneOrZero(user.notifications),
    created_at: formatWithOffset(user.createdAt, user.timezone),
    connection_type: user.connectionType.toUpperCase(),
    extension: user.extensions.map(Number),
    last_login: lastLogin(user.lastLoginAt, context),
  };
  return withExtra(shown, user.extra.convoso);
}

/** One user as the community documentation shows them, its fields in its order. */
export function encodeCommunity(user: CommunityUser, context: FormatContext): JsonObject {
  const shown = {
    id: String(user.dialectNumber),
    acl_access_profile: user.role.name.toLowerCase(),
    email: user.email ?? '',
    first_name: user.firstName,
    last_name: user.lastName,
    user_level: user.level,
    queue_override: user.queueOverride === 'Y' ? 'Y' : 'N',
    allow_queue_selection: user.allowQueueSelection,
    allow_callbacks: user.allowCallbacks,
    callback_types_allowed: user.callbackTypes.join(','),
    allow_transfers: user.allowTransfers,
    status: user.status,
    local_gmt: localGmt(user.timezone, context.now),
    connection_type: COMMUNITY_CONNECTIONS[user.connectionType],
    extension: user.extensions,
    last_login: lastLogin(user.lastLoginAt, context),
  };
  return withExtra(shown, user.extra.convoso);
}

function readEmail(row: RowReader): string | null | undefined {
  const email = row.text('email');
  return email === '' ? null : email;
}

function readZone(row: RowReader, context: FormatContext): string | undefined {
  const hours = row.text('local_gmt');
  if (hours === undefined || hours === '') return undefined;
  return (
    zoneForHours(hours, context.now) ?? row.problem('local_gmt', 'must be an offset in hours, such as -8.00')
  );
}

function readLastLogin(row: RowReader, context: FormatContext): number | null | undefined {
  const text = row.textOrNull('last_login');
  if (text == null || text === '') return text === undefined ? undefined : null;
  return (
    parseLocal(text, context.timezone) ?? row.problem('last_login', 'must be a time as YYYY-MM-DD HH:MM:SS')
  );
}

function readCreated(row: RowReader, context: FormatContext): number | undefined {
  const text = row.text('created_at');
  if (text === undefined || text === '') return undefined;
  return (
    parseInstant(text) ??
    parseLocal(text, context.timezone) ??
    row.problem('created_at', 'must be a time as YYYY-MM-DDTHH:MM:SS-0000')
  );
}

const OFFICIAL_ONLY = [
  'default_blended_selection',
  'alter_custdata_override',
  'allow_blended_campaign',
  'notification',
  'created_at',
] as const;

/** The row's number and what is neither known nor asked for, which is kept and shown again. */
function readRest(row: RowReader): Pick<UserPatch, 'dialectNumbers' | 'extra'> {
  const number = row.whole('id', 1, MAX_NUMBER);
  // What only the other profile shows is known too, and must not come back as an unknown field.
  for (const field of OFFICIAL_ONLY) row.value(field);
  const extra = row.rest();
  return {
    ...(number === undefined ? {} : { dialectNumbers: { convoso: number } }),
    ...(Object.keys(extra).length === 0 ? {} : { extra: { convoso: extra } }),
  };
}

const CONNECTIONS: Readonly<Record<string, ConnectionType>> = {
  BROWSER: 'browser',
  SOFTPHONE: 'softphone',
  VOIP: 'voip',
  DESK_PHONE: 'desk_phone',
  MOBILE: 'mobile',
  IM: 'im',
};

/** Reads one user of an official answer. @throws Failure invalid */
export function decodeOfficial(value: JsonObject, context: FormatContext): UserPatch {
  const row = new RowReader(value);
  const role = row.whole('acl_access_profile', 1, MAX_NUMBER);
  const level = row.whole('user_level', 1, LEVELS.length);
  const callbacks = row.whole('callback_types_allowed', 0, 3);
  return row.finish({
    email: readEmail(row),
    firstName: row.text('first_name'),
    lastName: row.text('last_name'),
    status: row.word('status', { Y: 'active', N: 'inactive' }),
    level: level === undefined ? undefined : LEVELS[level - 1],
    role: role === undefined ? undefined : { number: role },
    queueOverride: row.word('queue_override', { USE_CAMPAIGN: 'USE_CAMPAIGN', Y: 'Y', N: 'N' }),
    allowQueueSelection: row.flag('allow_queue_selection'),
    allowCallbacks: row.flag('allow_callbacks'),
    callbackTypes:
      callbacks === undefined ? undefined : CALLBACK_TYPES.filter((_, at) => (callbacks >> at) & 1),
    allowTransfers: row.flag('allow_transfers'),
    defaultBlended: row.flag('default_blended_selection'),
    alterCustomerData: row.flag('alter_custdata_override'),
    timezone: readZone(row, context),
    allowBlendedCampaign: row.flag('allow_blended_campaign'),
    notifications: row.flag('notification'),
    createdAt: readCreated(row, context),
    connectionType: row.word('connection_type', CONNECTIONS),
    extensions: row.extensions('extension'),
    lastLoginAt: readLastLogin(row, context),
    ...readRest(row),
  });
}

/** Role names are shown in lower case; the four that the documentation lists are kept as names. */
function readProfile(row: RowReader): UserPatch['role'] | undefined {
  const name = row.text('acl_access_profile');
  if (name === undefined || name === '') return undefined;
  const isLevel = LEVELS.some((level) => level === name);
  return { name: isLevel ? `${name[0]?.toUpperCase()}${name.slice(1)}` : name };
}

function readCallbackList(row: RowReader): CallbackType[] | undefined {
  const text = row.text('callback_types_allowed');
  if (text === undefined) return undefined;
  const listed = text.split(',').map((type) => type.trim());
  const types = CALLBACK_TYPES.filter((type) => listed.includes(type));
  if (listed.some((type) => type !== '' && !CALLBACK_TYPES.some((known) => known === type))) {
    return row.problem('callback_types_allowed', `must be a comma list of ${CALLBACK_TYPES.join(', ')}`);
  }
  return types;
}

/** Reads one user of a community answer. @throws Failure invalid */
export function decodeCommunity(value: JsonObject, context: FormatContext): UserPatch {
  const row = new RowReader(value);
  return row.finish({
    email: readEmail(row),
    firstName: row.text('first_name'),
    lastName: row.text('last_name'),
    status: row.word('status', { active: 'active', inactive: 'inactive', suspended: 'suspended' }),
    level: row.word('user_level', {
      agent: 'agent',
      supervisor: 'supervisor',
      manager: 'manager',
      admin: 'admin',
    }),
    role: readProfile(row),
    queueOverride: row.word('queue_override', { Y: 'Y', N: 'N' }),
    allowQueueSelection: row.flag('allow_queue_selection'),
    allowCallbacks: row.flag('allow_callbacks'),
    callbackTypes: readCallbackList(row),
    allowTransfers: row.flag('allow_transfers'),
    timezone: readZone(row, context),
    connectionType: row.word('connection_type', {
      softphone: 'softphone',
      VoIP: 'voip',
      desk_phone: 'desk_phone',
      mobile: 'mobile',
      IM: 'im',
    }),
    extensions: row.extensions('extension'),
    lastLoginAt: readLastLogin(row, context),
    ...readRest(row),
  });
}

import type { FormatContext, UserFormat } from './format.ts';
import { isObject, MAX_COUNTED, MAX_NUMBER, type NamedRef, RowReader, type UserPatch } from './patch.ts';
import { USER_FIELDS_SHOWN } from './query.ts';
import { parseInstant, parseLocal } from './time-zone.ts';
import {
  AGENT_STATUSES,
  type Agent,
  CALLBACK_TYPES,
  type CallbackType,
  type Channel,
  CONNECTION_TYPES,
  type Json,
  type JsonObject,
  LEVELS,
  QUEUE_OVERRIDES,
  type Skill,
  STATUSES,
  type User,
} from './user.ts';
import { findTimeZone } from './zone-names.ts';

const wordsOf = <T extends string>(list: readonly T[]) =>
  Object.fromEntries(list.map((word) => [word, word])) as Record<string, T>;
const LEVEL_WORDS = wordsOf(LEVELS);
const STATUS_WORDS = wordsOf(STATUSES);
const OVERRIDE_WORDS = wordsOf(QUEUE_OVERRIDES);
const CONNECTION_WORDS = wordsOf(CONNECTION_TYPES);
const AGENT_WORDS = wordsOf(AGENT_STATUSES);
const NO_FIELDS: ReadonlySet<string> = new Set();
const AGENT_FIELDS: ReadonlySet<string> = new Set(['id', 'name', 'status', 'followMeNumber']);

/** One user as our own exports show them. The version is not among it: it counts this store's changes. */
export function encodeNative(user: User): JsonObject {
  const shown: Record<string, Json> = {};
  for (const field of USER_FIELDS_SHOWN) {
    const value = user[field];
    const isInstant = field === 'createdAt' || field === 'lastLoginAt';
    shown[field] = isInstant && value !== null ? new Date(Number(value)).toISOString() : (value as Json);
  }
  shown.dialectNumbers = user.dialectNumbers;
  return shown;
}

function readNamed(row: RowReader, field: string, value: Json): NamedRef | undefined {
  if (typeof value === 'string') {
    const name = row.asText(field, value);
    return name === undefined || name === '' ? undefined : { name };
  }
  if (!isObject(value)) return row.problem(field, 'must be a name, or an object with number and name');
  const number = row.asWhole(field, 1, MAX_NUMBER, value.number);
  const name = value.name === undefined || value.name === null ? undefined : row.asText(field, value.name);
  if (number === undefined && !name) return row.problem(field, 'must have a number or a name');
  if (number === undefined) return { name: name ?? '' };
  return name ? { number, name } : { number };
}

function readNamedList(row: RowReader, field: string): NamedRef[] | undefined {
  return row.each(field, (item) => readNamed(row, field, item));
}

function readTexts(row: RowReader, field: string): string[] | undefined {
  return row.each(field, (item) => row.asText(field, item));
}

function readCallbackTypes(row: RowReader): CallbackType[] | undefined {
  const list = readTexts(row, 'callbackTypes');
  if (list === undefined) return undefined;
  for (const word of list) {
    if (!(CALLBACK_TYPES as readonly string[]).includes(word)) {
      return row.problem('callbackTypes', `must be a list of ${CALLBACK_TYPES.join(', ')}`);
    }
  }
  return CALLBACK_TYPES.filter((type) => list.includes(type));
}

function readInstant(row: RowReader, field: string, timezone: string): number | null | undefined {
  const text = row.textOrNull(field);
  if (text == null || text === '') return text === undefined ? undefined : null;
  return (
    parseInstant(text) ??
    parseLocal(text, timezone) ??
    row.problem(field, 'must be an ISO 8601 time, such as 2026-03-01T08:00:00Z or 2026-03-01 08:00:00')
  );
}

function readZone(row: RowReader): string | undefined {
  const zone = row.text('timezone');
  if (zone === undefined || zone === '') return undefined;
  return findTimeZone(zone) ?? row.problem('timezone', 'must be an IANA time zone, such as Europe/Istanbul');
}

function readSkills(row: RowReader): Skill[] | undefined {
  return row.each('skills', (item) => {
    const name = isObject(item) && item.name !== undefined ? row.asText('skills', item.name) : undefined;
    const value = isObject(item) ? row.asWhole('skills', 1, 10, item.value) : undefined;
    if (name !== undefined && value !== undefined) return { name, value };
    return row.problem('skills', 'must be a list of {name, value from 1 to 10}');
  });
}

function readChannels(row: RowReader): Channel[] | undefined {
  return row.each('channels', (item) => {
    const problem = () =>
      row.problem('channels', 'must be a list of {type, name, value: E.164 digits or null}');
    if (!isObject(item) || item.type === undefined || item.name === undefined) return problem();
    const type = row.asText('channels', item.type);
    const name = row.asText('channels', item.name);
    const value = item.value == null || item.value === '' ? null : String(item.value);
    if (type === undefined || name === undefined) return undefined;
    return value === null || /^[1-9]\d{0,14}$/.test(value) ? { type, name, value } : problem();
  });
}

function readAgent(row: RowReader): Agent | null | undefined {
  const value = row.value('agent');
  if (value === undefined || value === null) return value;
  const text = 'must be null or {id, name, status, followMeNumber in E.164 form or null}';
  if (!isObject(value)) return row.problem('agent', text);
  const agent = new RowReader(value, AGENT_FIELDS);
  const id = agent.text('id');
  const name = agent.text('name') ?? '';
  const status = agent.word('status', AGENT_WORDS);
  const followMeNumber = agent.textOrNull('followMeNumber') || null;
  const isNumber = followMeNumber === null || /^\+[1-9]\d{0,14}$/.test(followMeNumber);
  return id && status !== undefined && isNumber
    ? { id, name, status, followMeNumber }
    : row.problem('agent', text);
}

function readDialectNumbers(row: RowReader): Record<string, number> | undefined {
  const value = row.value('dialectNumbers');
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return row.problem('dialectNumbers', 'must be an object of numbers by dialect');
  const numbers: Record<string, number> = {};
  for (const dialect of Object.keys(value)) {
    const read = row.asWhole('dialectNumbers', 1, MAX_NUMBER, value[dialect]);
    if (read !== undefined) numbers[dialect] = read;
  }
  return numbers;
}

function readExtra(row: RowReader): Record<string, JsonObject> | undefined {
  const value = row.value('extra');
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return row.problem('extra', 'must be an object of objects by dialect');
  // Read as a row of its own, whose unread fields are held to the limits of kept ones.
  const extra = new RowReader(value, NO_FIELDS).rest();
  if (!Object.values(extra).every(isObject))
    return row.problem('extra', 'must be an object of objects by dialect');
  return extra as Record<string, JsonObject>;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/**
 * Reads one user in our own form. Every field may be missing; times without an offset are in the contact center's
 * zone. @throws Failure invalid
 */
export function decodeNative(value: JsonObject, { timezone }: Pick<FormatContext, 'timezone'>): UserPatch {
  const row = new RowReader(value, READ_FIELDS);
  const id = row.text('id');
  if (id !== undefined && id !== '' && !UUID.test(id)) row.problem('id', 'must be a UUID');
  const email = row.textOrNull('email');
  const role = row.value('role');
  const loginId = row.text('loginId');
  const nullable = (field: string) => {
    const text = row.textOrNull(field);
    return text === '' ? null : text;
  };
  const createdAt = readInstant(row, 'createdAt', timezone);
  refuseUnknown(row);
  return row.finish({
    id: id === '' ? undefined : id?.toLowerCase(),
    number: row.whole('number', 1, MAX_COUNTED),
    dialectNumbers: readDialectNumbers(row),
    email: email === '' ? null : email,
    loginId: loginId === '' ? undefined : loginId,
    firstName: row.text('firstName'),
    lastName: row.text('lastName'),
    displayName: nullable('displayName'),
    status: row.word('status', STATUS_WORDS),
    level: row.word('level', LEVEL_WORDS),
    role: role === undefined || role === null ? undefined : readNamed(row, 'role', role),
    queueOverride: row.word('queueOverride', OVERRIDE_WORDS),
    allowQueueSelection: row.flag('allowQueueSelection'),
    allowCallbacks: row.flag('allowCallbacks'),
    allowTransfers: row.flag('allowTransfers'),
    callbackTypes: readCallbackTypes(row),
    defaultBlended: row.flag('defaultBlended'),
    allowBlendedCampaign: row.flag('allowBlendedCampaign'),
    notifications: row.flag('notifications'),
    alterCustomerData: row.flag('alterCustomerData'),
    timezone: readZone(row),
    connectionType: row.word('connectionType', CONNECTION_WORDS),
    extensions: row.extensions('extensions'),
    createdAt: createdAt === null ? undefined : createdAt,
    lastLoginAt: readInstant(row, 'lastLoginAt', timezone),
    sipAccount: nullable('sipAccount'),
    callerIdGroup: nullable('callerIdGroup'),
    webrtcRingtone: nullable('webrtcRingtone'),
    teams: readNamedList(row, 'teams'),
    supervisedTeams: readNamedList(row, 'supervisedTeams'),
    skills: readSkills(row),
    channels: readChannels(row),
    queues: readTexts(row, 'queues'),
    employeeId: nullable('employeeId'),
    agent: readAgent(row),
    loginBasedCalling: row.flag('loginBasedCalling'),
    internationalCalling: row.flag('internationalCalling'),
    webLogin: row.flag('webLogin'),
    extra: readExtra(row),
  });
}

/** A misspelt field would be lost without a word. The version is our own count, and not loaded. */
function refuseUnknown(row: RowReader): void {
  for (const field of Object.keys(row.rest())) {
    row.problem(/^[\w .-]{1,40}$/.test(field) ? field : 'a field', 'is no field of a user');
  }
}

/** Our own form: one JSON object a line. */
export const native: UserFormat = {
  name: 'native',
  dialect: null,
  fields: USER_FIELDS_SHOWN,
  recognises: (row) => NATIVE_FIELDS.some((field) => field in row),
  decode: decodeNative,
  encode: encodeNative,
  row: (user) => JSON.stringify(encodeNative(user)),
  envelope: () => ({ head: '', separator: '\n', tail: '\n' }),
};

/** The fields that a native row may have, for headers and for telling a row of another form. */
export const NATIVE_FIELDS: readonly string[] = [...USER_FIELDS_SHOWN, 'dialectNumbers'];
const READ_FIELDS: ReadonlySet<string> = new Set([...NATIVE_FIELDS, 'version']);

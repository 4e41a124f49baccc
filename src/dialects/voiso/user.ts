import { withExtra } from '../../directory/extra.ts';
import type { FormatUser, UserFormat } from '../../directory/format.ts';
import { isObject, MAX_NUMBER, type NamedRef, RowReader, type UserPatch } from '../../directory/patch.ts';
import type { Listed, UserField } from '../../directory/query.ts';
import {
  type Channel,
  type Json,
  type JsonObject,
  type Named,
  type Skill,
  shownName,
} from '../../directory/user.ts';
import { cityOf, zoneForCity } from '../../directory/zone-names.ts';

/** What an answer reads of a user. */
export const FIELDS = [
  'firstName',
  'lastName',
  'displayName',
  'email',
  'sipAccount',
  'role',
  'extensions',
  'callerIdGroup',
  'timezone',
  'webrtcRingtone',
  'teams',
  'supervisedTeams',
  'skills',
  'queues',
  'employeeId',
  'channels',
  'extra',
] as const satisfies readonly UserField[];

export type VoisoUser = Listed<(typeof FIELDS)[number]>;

const joined = (teams: readonly Named[]): string => teams.map((team) => team.number).join(', ');

/** One user, the fields in the order of the vendor's sample. */
export function encodeUser(user: VoisoUser): JsonObject {
  const shown = {
    id: user.dialectNumber,
    name: shownName(user),
    email: user.email ?? '',
    sip_account: user.sipAccount,
    sag: user.role.name,
    extension: user.extensions[0] ?? null,
    caller_id: user.callerIdGroup,
    timezone: cityOf(user.timezone),
    webrtc_ringtone: user.webrtcRingtone,
    assigned_teams: joined(user.teams),
    supervisor_in_teams: joined(user.supervisedTeams),
    assigned_skills: user.skills.map(({ name, value }) => ({ name, value })),
    assigned_queues: user.queues.join(', '),
    employee_id: user.employeeId,
    assigned_channels: user.channels.map(({ type, name, value }) => ({
      type,
      name,
      value: value === null ? null : Number(value),
    })),
  };
  return withExtra(shown, user.extra.voiso);
}

function commaList(text: string | undefined): string[] | undefined {
  return text
    ?.split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** Team numbers by the field table, team names by the sample: both are taken. */
function readTeams(row: RowReader, field: string): NamedRef[] | undefined {
  return commaList(row.text(field))?.map((part) =>
    /^[1-9]\d{0,9}$/.test(part) && Number(part) <= MAX_NUMBER ? { number: Number(part) } : { name: part },
  );
}

function readZone(row: RowReader): string | undefined {
  const city = row.text('timezone');
  if (city === undefined || city === '') return undefined;
  return (
    zoneForCity(city) ?? row.problem('timezone', "must be the city of a time zone's name, such as Istanbul")
  );
}

function readSkills(row: RowReader): Skill[] | undefined {
  return row.list('assigned_skills')?.flatMap((item) => {
    const field = 'assigned_skills';
    const name = isObject(item) && item.name !== undefined ? row.asText(field, item.name) : undefined;
    const value = isObject(item) ? row.asWhole(field, 1, 10, item.value) : undefined;
    if (name !== undefined && value !== undefined) return [{ name, value }];
    row.problem(field, 'must be a list of {name, value from 1 to 10}');
    return [];
  });
}

function readChannels(row: RowReader): Channel[] | undefined {
  return row.list('assigned_channels')?.flatMap((item) => {
    const field = 'assigned_channels';
    const type = isObject(item) && item.type !== undefined ? row.asText(field, item.type) : undefined;
    const name = isObject(item) && item.name !== undefined ? row.asText(field, item.name) : undefined;
    const value = isObject(item) ? digitsOf(item.value) : undefined;
    if (type !== undefined && name !== undefined && value !== undefined) return [{ type, name, value }];
    row.problem(field, 'must be a list of {type, name, value: E.164 digits or null}');
    return [];
  });
}

/** E.164 has at most 15 digits (ITU-T E.164 section 6), so that every number is exact in JSON. */
function digitsOf(value: Json | undefined): string | null | undefined {
  if (value === undefined || value === null || value === '') return null;
  const digits = String(value).replace(/^\+/, '');
  return /^[1-9]\d{0,14}$/.test(digits) ? digits : undefined;
}

/** Reads one user of an answer. @throws Failure invalid */
export function decodeUser(value: JsonObject): UserPatch {
  const row = new RowReader(value);
  const number = row.whole('id', 1, MAX_NUMBER);
  const email = row.text('email');
  const sag = row.text('sag');
  const extension = row.value('extension');
  const optional = (field: string) => {
    const text = row.textOrNull(field);
    return text === '' ? null : text;
  };
  return row.finish({
    dialectNumbers: number === undefined ? undefined : { voiso: number },
    name: row.text('name'),
    email: email === '' ? null : email,
    sipAccount: optional('sip_account'),
    role: sag === undefined || sag === '' ? undefined : { name: sag },
    extension: extension == null || extension === '' ? undefined : row.asExtension('extension', extension),
    callerIdGroup: optional('caller_id'),
    timezone: readZone(row),
    webrtcRingtone: optional('webrtc_ringtone'),
    teams: readTeams(row, 'assigned_teams'),
    supervisedTeams: readTeams(row, 'supervisor_in_teams'),
    skills: readSkills(row),
    queues: commaList(row.text('assigned_queues')),
    employeeId: optional('employee_id'),
    channels: readChannels(row),
    ...extraOf(row),
  });
}

function extraOf(row: RowReader): Pick<UserPatch, 'extra'> {
  const extra = row.rest();
  return Object.keys(extra).length === 0 ? {} : { extra: { voiso: extra } };
}

/** An answer: a bare array. */
export const format: UserFormat = {
  name: 'voiso',
  dialect: 'voiso',
  fields: FIELDS,
  recognises: (row) => 'sag' in row || 'assigned_teams' in row,
  decode: decodeUser,
  encode: encodeUser,
  row: (user: FormatUser) => JSON.stringify(encodeUser(user)),
  envelope: () => ({ head: '[', separator: ',', tail: ']\n' }),
};

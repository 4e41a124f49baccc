import { withExtra } from '../../directory/extra.ts';
import type { FormatUser, UserFormat } from '../../directory/format.ts';
import { isObject, MAX_NUMBER, type NamedRef, RowReader, type UserPatch } from '../../directory/patch.ts';
import type { Listed, UserField } from '../../directory/query.ts';
import { AGENT_STATUSES, type Agent, type JsonObject, shownName } from '../../directory/user.ts';

/** What an answer reads of a user. */
export const FIELDS = [
  'firstName',
  'lastName',
  'displayName',
  'agent',
  'loginId',
  'loginBasedCalling',
  'internationalCalling',
  'role',
  'extensions',
  'status',
  'extra',
] as const satisfies readonly UserField[];

export type SmartfloUser = Listed<(typeof FIELDS)[number]>;

function encodeAgent(agent: Agent | null): JsonObject | null {
  if (agent === null) return null;
  return {
    id: agent.id,
    name: agent.name,
    status: AGENT_STATUSES.indexOf(agent.status),
    follow_me_number: agent.followMeNumber,
  };
}

/** One user, the fields in the order of the vendor's sample. */
export function encodeUser(user: SmartfloUser): JsonObject {
  const shown = {
    id: user.dialectNumber,
    name: shownName(user),
    agent: encodeAgent(user.agent),
    login_id: user.loginId,
    is_login_based_calling_enabled: user.loginBasedCalling,
    is_international_outbound_enabled: user.internationalCalling,
    user_role: { id: user.role.number, name: user.role.name },
    extension: user.extensions[0] ?? null,
    user_status: user.status === 'active' ? 1 : 0,
  };
  return withExtra(shown, user.extra.smartflo);
}

function readAgent(row: RowReader): Agent | null | undefined {
  const value = row.value('agent');
  if (value === undefined || value === null) return value;
  if (!isObject(value)) return row.problem('agent', 'must be an object or null');
  const agent = new RowReader(value);
  const id = agent.text('id');
  const name = agent.text('name');
  const status = agent.whole('status', 0, AGENT_STATUSES.length - 1);
  const number = agent.textOrNull('follow_me_number');
  const followMeNumber = number == null || number === '' ? null : `+${number.replace(/^\+/, '')}`;
  if (id === undefined || id === '') return row.problem('agent', 'must have an id');
  if (status === undefined) return row.problem('agent', 'must have a status from 0 to 4');
  if (followMeNumber !== null && !/^\+[1-9]\d{0,14}$/.test(followMeNumber)) {
    return row.problem('agent', 'must have a follow_me_number in E.164 form, or null');
  }
  return { id, name: name ?? '', status: AGENT_STATUSES[status] ?? 'enabled', followMeNumber };
}

function readRole(row: RowReader): NamedRef | undefined {
  const value = row.value('user_role');
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) return row.problem('user_role', 'must be an object');
  const role = new RowReader(value);
  const number = role.whole('id', 1, MAX_NUMBER);
  const name = role.text('name');
  if (number === undefined) return row.problem('user_role', 'must have a whole number as id');
  return name === undefined || name === '' ? { number } : { number, name };
}

/** Reads one user of an answer. @throws Failure invalid */
export function decodeUser(value: JsonObject): UserPatch {
  const row = new RowReader(value);
  const number = row.whole('id', 1, MAX_NUMBER);
  const loginId = row.text('login_id');
  const extension = row.value('extension');
  const patch = {
    dialectNumbers: number === undefined ? undefined : { smartflo: number },
    name: row.text('name'),
    agent: readAgent(row),
    loginId: loginId === '' ? undefined : loginId,
    loginBasedCalling: row.flag('is_login_based_calling_enabled'),
    internationalCalling: row.flag('is_international_outbound_enabled'),
    role: readRole(row),
    extension: extension == null || extension === '' ? undefined : row.asExtension('extension', extension),
    status: row.word('user_status', { '1': 'active', '0': 'inactive', true: 'active', false: 'inactive' }),
  } as const;
  const extra = row.rest();
  return row.finish({ ...patch, extra: Object.keys(extra).length === 0 ? undefined : { smartflo: extra } });
}

/** An answer: a page that says it is the last. */
export const format: UserFormat = {
  name: 'smartflo',
  dialect: 'smartflo',
  fields: FIELDS,
  recognises: (row) => 'user_status' in row || ('login_id' in row && 'user_role' in row),
  decode: decodeUser,
  encode: encodeUser,
  row: (user: FormatUser) => JSON.stringify(encodeUser(user)),
  envelope: ({ count, lastNumber }) => ({
    head: `{"has_more":false,"count":${count},"last_seen_id":${lastNumber},"data":[`,
    separator: ',',
    tail: ']}\n',
  }),
};

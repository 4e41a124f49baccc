import { fold } from '../../directory/fold.ts';
import type { User } from '../../directory/user.ts';
import type { Cell } from '../engine.ts';
import type { UsersTable } from '../schema/users.ts';

/** A yes or no as a column. */
export const flag = (value: boolean): number => (value ? 1 : 0);
/** The folded form of a text that may be missing. */
export const keyOf = (value: string | null): string | null => (value === null ? null : fold(value));

/** What each column of `users` keeps of a user. */
const COLUMNS: {
  readonly [C in Exclude<keyof UsersTable, 'contact_center_id'>]: (user: User) => UsersTable[C];
} = {
  number: (user) => user.number,
  id: (user) => user.id,
  version: (user) => user.version,
  email: (user) => user.email,
  email_key: (user) => keyOf(user.email),
  login_id: (user) => user.loginId,
  // One that is the email is found and kept unique by the email's own key.
  login_id_key: (user) => (fold(user.loginId) === keyOf(user.email) ? null : fold(user.loginId)),
  first_name: (user) => user.firstName,
  last_name: (user) => user.lastName,
  display_name: (user) => user.displayName,
  status: (user) => user.status,
  level: (user) => user.level,
  role_number: (user) => user.role.number,
  queue_override: (user) => user.queueOverride,
  allow_queue_selection: (user) => flag(user.allowQueueSelection),
  allow_callbacks: (user) => flag(user.allowCallbacks),
  allow_transfers: (user) => flag(user.allowTransfers),
  callback_types: (user) => user.callbackTypes.join(','),
  default_blended: (user) => flag(user.defaultBlended),
  allow_blended_campaign: (user) => flag(user.allowBlendedCampaign),
  notifications: (user) => flag(user.notifications),
  alter_customer_data: (user) => flag(user.alterCustomerData),
  timezone: (user) => user.timezone,
  connection_type: (user) => user.connectionType,
  extensions: (user) => user.extensions.join(','),
  created_at: (user) => user.createdAt,
  last_login_at: (user) => user.lastLoginAt,
  sip_account: (user) => user.sipAccount,
  sip_account_key: (user) => keyOf(user.sipAccount),
  caller_id_group: (user) => user.callerIdGroup,
  webrtc_ringtone: (user) => user.webrtcRingtone,
  teams: (user) => JSON.stringify(user.teams.map((team) => team.number)),
  supervised_teams: (user) => JSON.stringify(user.supervisedTeams.map((team) => team.number)),
  skills: (user) => JSON.stringify(user.skills),
  channels: (user) => JSON.stringify(user.channels),
  queues: (user) => JSON.stringify(user.queues),
  employee_id: (user) => user.employeeId,
  agent: (user) => (user.agent === null ? null : JSON.stringify(user.agent)),
  login_based_calling: (user) => flag(user.loginBasedCalling),
  international_calling: (user) => flag(user.internationalCalling),
  web_login: (user) => flag(user.webLogin),
  extra: (user) => JSON.stringify(user.extra),
};
export const USER_COLUMNS = Object.entries(COLUMNS);
const READERS = Object.values(COLUMNS);

/** Adds a user's row of `users`: the contact center, then USER_COLUMNS in order. */
export function toCells(cc: number, user: User, cells: Cell[]): void {
  cells.push(cc);
  for (const read of READERS) cells.push(read(user));
}

/** A user as named values, for updates. */
export function toValues(cc: number, user: User): Record<string, Cell> {
  const values: Record<string, Cell> = { contact_center_id: cc };
  for (const [column, read] of USER_COLUMNS) values[column] = read(user);
  return values;
}

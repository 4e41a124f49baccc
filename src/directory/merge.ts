import { isDeepStrictEqual } from 'node:util';
import { fold } from './fold.ts';
import type { NamedRef, UserPatch } from './patch.ts';
import { USER_FIELDS_SHOWN } from './query.ts';
import { type Named, splitName, type User, wholeName } from './user.ts';

/** Finds or makes what a row names. */
export interface Names {
  role(ref: NamedRef): Named;
  team(ref: NamedRef): Named;
}

/** The fields of a patch that take more than being set as they stand. */
const SPECIAL = [
  'id',
  'number',
  'email',
  'loginId',
  'firstName',
  'lastName',
  'displayName',
  'role',
  'teams',
  'supervisedTeams',
  'extra',
] as const satisfies readonly (typeof USER_FIELDS_SHOWN)[number][];

type Plain = Exclude<(typeof USER_FIELDS_SHOWN)[number], (typeof SPECIAL)[number]>;

const PLAIN = USER_FIELDS_SHOWN.filter((field): field is Plain => !SPECIAL.some((each) => each === field));

type Draft = { -readonly [F in keyof User]: User[F] };

/** A new user before a row says anything: what a person has where nothing is said. */
export function blankUser(number: number, id: string, timezone: string, now: number): User {
  return {
    id,
    number,
    dialectNumbers: {},
    email: null,
    loginId: '',
    firstName: '',
    lastName: '',
    displayName: null,
    status: 'active',
    level: 'agent',
    role: { number: 0, name: '' },
    queueOverride: 'USE_CAMPAIGN',
    allowQueueSelection: true,
    allowCallbacks: true,
    allowTransfers: true,
    callbackTypes: ['system', 'personal'],
    defaultBlended: false,
    allowBlendedCampaign: true,
    notifications: false,
    alterCustomerData: false,
    timezone,
    connectionType: 'browser',
    extensions: [],
    createdAt: now,
    lastLoginAt: null,
    sipAccount: null,
    callerIdGroup: null,
    webrtcRingtone: null,
    teams: [],
    supervisedTeams: [],
    skills: [],
    channels: [],
    queues: [],
    employeeId: null,
    agent: null,
    loginBasedCalling: false,
    internationalCalling: false,
    webLogin: true,
    extra: {},
    version: 1,
  };
}

/**
 * The fields of a patch that say something new. A format that shows less than is kept (a status as Y or N,
 * a zone as an offset) says nothing new where it would show the same of the user as they are: the finer
 * value stays.
 * @param shown what the format says of the user as they are
 */
export function newIn(patch: UserPatch, shown: UserPatch): UserPatch {
  const seen = shown as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(patch).filter(([field, value]) => !isDeepStrictEqual(value, seen[field])),
  );
}

/** A user after a patch. Numbers and the version are the caller's. */
export function applyPatch(user: User, patch: UserPatch, isNew: boolean, names: Names): User {
  const draft: Draft = { ...user };
  for (const field of PLAIN) {
    if (patch[field] !== undefined) setField(draft, field, patch[field]);
  }
  setNames(draft, patch, isNew);
  setLogin(draft, user, patch);
  if (patch.role !== undefined) draft.role = names.role(patch.role);
  else if (isNew) draft.role = names.role({ name: draft.level[0]?.toUpperCase() + draft.level.slice(1) });
  if (patch.teams !== undefined) draft.teams = patch.teams.map((ref) => names.team(ref));
  if (patch.supervisedTeams !== undefined) {
    draft.supervisedTeams = patch.supervisedTeams.map((ref) => names.team(ref));
  }
  if (patch.extension != null) draft.extensions = withFirst(draft.extensions, patch.extension);
  for (const [dialect, fields] of Object.entries(patch.extra ?? {})) {
    if (Object.keys(fields).length === 0) continue;
    draft.extra = { ...draft.extra, [dialect]: { ...draft.extra[dialect], ...fields } };
  }
  return draft;
}

function setField<F extends keyof User>(draft: Draft, field: F, value: User[F]): void {
  draft[field] = value;
}

function setNames(draft: Draft, patch: UserPatch, isNew: boolean): void {
  if (patch.firstName !== undefined) draft.firstName = patch.firstName;
  if (patch.lastName !== undefined) draft.lastName = patch.lastName;
  if (patch.name !== undefined) {
    if (isNew) Object.assign(draft, splitName(patch.name));
    draft.displayName = patch.name;
  }
  if (patch.displayName !== undefined) draft.displayName = patch.displayName;
  if (draft.displayName === wholeName(draft)) draft.displayName = null;
}

/** The login id of a user who came without one and without an email. */
export function madeLoginId(number: number): string {
  return `user-${number}`;
}

function setLogin(draft: Draft, user: User, patch: UserPatch): void {
  if (patch.email !== undefined) draft.email = patch.email;
  else if (patch.loginId?.includes('@') && draft.email === null) draft.email = patch.loginId;
  if (patch.loginId !== undefined) draft.loginId = patch.loginId;
  else if (user.loginId === '' || (patch.email !== undefined && logsInByEmail(user))) {
    // A login id that was never set apart from the email goes on following it.
    draft.loginId = draft.email ?? user.loginId;
  }
  if (draft.loginId === '') draft.loginId = madeLoginId(draft.number);
}

/** Whether a user logs in with their email, in whichever capitals. */
function logsInByEmail({ email, loginId }: User): boolean {
  return email !== null && fold(email) === fold(loginId);
}

/** Sets the first extension and keeps the rest. One that the user has further back comes to the front. */
function withFirst(extensions: readonly string[], first: string): readonly string[] {
  if (extensions[0] === first) return extensions;
  const rest = extensions.includes(first) ? extensions.filter((each) => each !== first) : extensions.slice(1);
  return [first, ...rest];
}

import type { Listed, UserField } from '../../directory/query.ts';
import { CALLBACK_TYPES, type CallbackType, type Named, type User } from '../../directory/user.ts';
import type { Cell } from '../engine.ts';

/** What roles and teams are called: rows have their numbers alone. */
export interface Names {
  role(number: number): Named;
  team(number: number): Named;
}

interface Column<T> {
  readonly columns: readonly string[];
  readonly read: (cells: readonly Cell[], at: number, names: Names) => T;
}

const asText = (column: string): Column<never> => ({
  columns: [`u.${column}`],
  read: (cells, at) => cells[at] as never,
});
const asFlag = (column: string): Column<boolean> => ({
  columns: [`u.${column}`],
  read: (cells, at) => cells[at] === 1,
});
const asInstant = (column: string): Column<never> => ({
  columns: [`u.${column}`],
  read: (cells, at) => (cells[at] === null ? null : Number(cells[at])) as never,
});
const asJson = (column: string): Column<never> => ({
  columns: [`u.${column}`],
  read: (cells, at) => {
    const text = cells[at] as string | null;
    // Most are empty; the parser is not asked for those.
    if (text === null) return null as never;
    if (text === '[]') return EMPTY as never;
    return (text === '{}' ? EMPTY_OBJECT : JSON.parse(text)) as never;
  },
});
const asTeams = (column: string): Column<Named[]> => ({
  columns: [`u.${column}`],
  read: (cells, at, names) => (cells[at] === '[]' ? [] : JSON.parse(String(cells[at])).map(names.team)),
});
const EMPTY: readonly never[] = Object.freeze([]);
const EMPTY_OBJECT = Object.freeze({});

const callbackTypes = new Map<string, readonly CallbackType[]>(
  [[], ['system'], ['personal'], ['system', 'personal']].map((list) => [
    list.join(','),
    CALLBACK_TYPES.filter((type) => list.includes(type)),
  ]),
);

const COLUMNS: { readonly [F in UserField]: Column<User[F]> } = {
  id: asText('id'),
  number: asText('number'),
  email: asText('email'),
  loginId: asText('login_id'),
  firstName: asText('first_name'),
  lastName: asText('last_name'),
  displayName: asText('display_name'),
  status: asText('status'),
  level: asText('level'),
  role: {
    columns: ['u.role_number'],
    read: (cells, at, names) => names.role(Number(cells[at])),
  },
  queueOverride: asText('queue_override'),
  allowQueueSelection: asFlag('allow_queue_selection'),
  allowCallbacks: asFlag('allow_callbacks'),
  allowTransfers: asFlag('allow_transfers'),
  callbackTypes: {
    columns: ['u.callback_types'],
    read: (cells, at) => callbackTypes.get(String(cells[at])) ?? [],
  },
  defaultBlended: asFlag('default_blended'),
  allowBlendedCampaign: asFlag('allow_blended_campaign'),
  notifications: asFlag('notifications'),
  alterCustomerData: asFlag('alter_customer_data'),
  timezone: asText('timezone'),
  connectionType: asText('connection_type'),
  extensions: {
    columns: ['u.extensions'],
    read: (cells, at) => (cells[at] === '' ? EMPTY : String(cells[at]).split(',')),
  },
  createdAt: asInstant('created_at'),
  lastLoginAt: asInstant('last_login_at'),
  sipAccount: asText('sip_account'),
  callerIdGroup: asText('caller_id_group'),
  webrtcRingtone: asText('webrtc_ringtone'),
  teams: asTeams('teams'),
  supervisedTeams: asTeams('supervised_teams'),
  skills: asJson('skills'),
  channels: asJson('channels'),
  queues: asJson('queues'),
  employeeId: asText('employee_id'),
  agent: asJson('agent'),
  loginBasedCalling: asFlag('login_based_calling'),
  internationalCalling: asFlag('international_calling'),
  webLogin: asFlag('web_login'),
  extra: asJson('extra'),
  version: asText('version'),
};

/** Every field of a user that is a column; the dialect numbers are rows of their own. */
export const USER_FIELDS = Object.keys(COLUMNS) as UserField[];

/** Which columns of `users u` a list of fields needs, in order. */
export function columnsOf(fields: readonly UserField[]): string[] {
  return fields.flatMap((field) => COLUMNS[field].columns);
}

interface Place {
  readonly field: UserField;
  readonly at: number;
  readonly read: Column<unknown>['read'];
}

/** Where a row has the numbers of what is named. */
interface NamedPlaces {
  readonly role: number | null;
  readonly teams: readonly number[];
}

/** What is the same for all rows of a list of fields, worked out once for each. */
interface Layout {
  readonly places: readonly Place[];
  readonly named: NamedPlaces;
}

const layouts = new WeakMap<readonly UserField[], Layout>();

function layoutOf(fields: readonly UserField[]): Layout {
  let layout = layouts.get(fields);
  if (layout === undefined) {
    let at = 1;
    const places = fields.map((field) => {
      const place = { field, at, read: COLUMNS[field].read };
      at += COLUMNS[field].columns.length;
      return place;
    });
    const placeOf = (wanted: UserField) => places.find(({ field }) => field === wanted)?.at;
    const teams = [placeOf('teams'), placeOf('supervisedTeams')].filter((place) => place !== undefined);
    layout = { places, named: { role: placeOf('role') ?? null, teams } };
    layouts.set(fields, layout);
  }
  return layout;
}

/** Where rows, whose first cell is a number, have the numbers of roles and teams, whose names are fetched apart. */
export function namedColumns(fields: readonly UserField[]): NamedPlaces {
  return layoutOf(fields).named;
}

/** Reads rows whose first cell is the dialect number and whose others are the fields' columns. */
export function readListed<F extends UserField>(
  rows: readonly (readonly Cell[])[],
  fields: readonly F[],
  names: Names,
): Listed<F>[] {
  const { places } = layoutOf(fields);
  return rows.map((row) => {
    const user: Record<string, unknown> = { dialectNumber: row[0] };
    for (const { field, at, read } of places) user[field] = read(row, at, names);
    return user as Listed<F>;
  });
}

/** The domain of users: what Rollcall keeps of a person who works in a contact center. */

export const STATUSES = ['active', 'inactive', 'suspended'] as const;
export const LEVELS = ['agent', 'supervisor', 'manager', 'admin'] as const;
export const QUEUE_OVERRIDES = ['USE_CAMPAIGN', 'Y', 'N'] as const;
export const CALLBACK_TYPES = ['system', 'personal'] as const;
export const CONNECTION_TYPES = ['browser', 'softphone', 'voip', 'desk_phone', 'mobile', 'im'] as const;
export const AGENT_STATUSES = ['enabled', 'blocked', 'disabled', 'busy', 'offline'] as const;

export type Status = (typeof STATUSES)[number];
export type Level = (typeof LEVELS)[number];
export type QueueOverride = (typeof QUEUE_OVERRIDES)[number];
export type CallbackType = (typeof CALLBACK_TYPES)[number];
export type ConnectionType = (typeof CONNECTION_TYPES)[number];
export type AgentStatus = (typeof AGENT_STATUSES)[number];

/** A role or a team: an integer unique in the contact center, and a name. */
export interface Named {
  readonly number: number;
  readonly name: string;
}

export interface Skill {
  readonly name: string;
  /** 1 to 10; 10 is the highest (Voiso, "Assigned skills array"). */
  readonly value: number;
}

export interface Channel {
  readonly type: string;
  readonly name: string;
  /** E.164 digits without the plus, or null where a channel has no phone number. */
  readonly value: string | null;
}

/** The telephony agent that Smartflo keeps beside a user. */
export interface Agent {
  readonly id: string;
  readonly name: string;
  readonly status: AgentStatus;
  /** E.164 with the plus, or null. */
  readonly followMeNumber: string | null;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One person in one contact center. Instants are milliseconds since 1970 UTC. */
export interface User {
  /** UUIDv7. */
  readonly id: string;
  /** The user's own number in the contact center: from 1, growing, never reused. */
  readonly number: number;
  /** The user's id in each dialect, by the dialect's name. */
  readonly dialectNumbers: Readonly<Record<string, number>>;
  /** Unique in the contact center when present. */
  readonly email: string | null;
  /** Unique in the contact center; the email unless something else was given. */
  readonly loginId: string;
  readonly firstName: string;
  readonly lastName: string;
  /** Null where "first last" is shown. */
  readonly displayName: string | null;
  readonly status: Status;
  readonly level: Level;
  readonly role: Named;
  readonly queueOverride: QueueOverride;
  readonly allowQueueSelection: boolean;
  readonly allowCallbacks: boolean;
  readonly allowTransfers: boolean;
  /** In the order of CALLBACK_TYPES. */
  readonly callbackTypes: readonly CallbackType[];
  readonly defaultBlended: boolean;
  readonly allowBlendedCampaign: boolean;
  readonly notifications: boolean;
  readonly alterCustomerData: boolean;
  /** IANA name. */
  readonly timezone: string;
  readonly connectionType: ConnectionType;
  /** Digits; the first is the one that vendors with one extension show. Unique in the contact center. */
  readonly extensions: readonly string[];
  readonly createdAt: number;
  readonly lastLoginAt: number | null;
  readonly sipAccount: string | null;
  readonly callerIdGroup: string | null;
  readonly webrtcRingtone: string | null;
  readonly teams: readonly Named[];
  readonly supervisedTeams: readonly Named[];
  readonly skills: readonly Skill[];
  readonly channels: readonly Channel[];
  readonly queues: readonly string[];
  readonly employeeId: string | null;
  readonly agent: Agent | null;
  readonly loginBasedCalling: boolean;
  readonly internationalCalling: boolean;
  readonly webLogin: boolean;
  /** Vendor fields that the domain does not model, by dialect. */
  readonly extra: Readonly<Record<string, JsonObject>>;
  /** Grows by one with each change. */
  readonly version: number;
}

/** "first last", or the one that is there. */
export function wholeName(user: Pick<User, 'firstName' | 'lastName'>): string {
  if (user.firstName === '') return user.lastName;
  return user.lastName === '' ? user.firstName : `${user.firstName} ${user.lastName}`;
}

/** The name that vendors with a single name field show. */
export function shownName(user: Pick<User, 'firstName' | 'lastName' | 'displayName'>): string {
  return user.displayName ?? wholeName(user);
}

/** A name given whole, split at its last space. */
export function splitName(name: string): { firstName: string; lastName: string } {
  const at = name.lastIndexOf(' ');
  return at < 0
    ? { firstName: name, lastName: '' }
    : { firstName: name.slice(0, at), lastName: name.slice(at + 1) };
}

/**
 * One row a user. Booleans are 0 or 1, instants milliseconds since 1970 UTC, lists that are only shown
 * are JSON, and what is compared is folded into a `_key` column.
 */
export interface UsersTable {
  contact_center_id: number;
  number: number;
  id: string;
  version: number;
  email: string | null;
  email_key: string | null;
  login_id: string;
  /** Null where the login id is the email. */
  login_id_key: string | null;
  first_name: string;
  last_name: string;
  display_name: string | null;
  status: string;
  level: string;
  role_number: number;
  queue_override: string;
  allow_queue_selection: number;
  allow_callbacks: number;
  allow_transfers: number;
  /** Comma list in the order of CALLBACK_TYPES. */
  callback_types: string;
  default_blended: number;
  allow_blended_campaign: number;
  notifications: number;
  alter_customer_data: number;
  timezone: string;
  connection_type: string;
  /** Comma list; user_extensions holds them for search and uniqueness. */
  extensions: string;
  created_at: number;
  last_login_at: number | null;
  sip_account: string | null;
  sip_account_key: string | null;
  caller_id_group: string | null;
  webrtc_ringtone: string | null;
  /** JSON lists of team numbers; the names are rows of `teams`. */
  teams: string;
  supervised_teams: string;
  skills: string;
  channels: string;
  queues: string;
  employee_id: string | null;
  agent: string | null;
  login_based_calling: number;
  international_calling: number;
  web_login: number;
  extra: string;
}

import type { AuditEventsTable } from './audit-events.ts';
import type { ContactCentersTable } from './contact-centers.ts';
import type {
  DialectCountersTable,
  DialectNumbersTable,
  DialectsTable,
  NumberCountsTable,
  RetiredNumbersTable,
} from './dialects.ts';
import type { ImportCountsTable } from './import-counts.ts';
import type { RecordingCountsTable, RecordingsTable } from './recordings.ts';
import type { RolesTable, TeamsTable } from './roles.ts';
import type { SigningKeysTable } from './signing-keys.ts';
import type { TokensTable } from './tokens.ts';
import type { UserExtensionsTable } from './user-extensions.ts';
import type { UserTermsTable } from './user-terms.ts';
import type { UsersTable } from './users.ts';

/** Every table, as Kysely sees them. */
export interface Schema {
  contact_centers: ContactCentersTable;
  tokens: TokensTable;
  roles: RolesTable;
  teams: TeamsTable;
  users: UsersTable;
  user_extensions: UserExtensionsTable;
  user_terms: UserTermsTable;
  dialects: DialectsTable;
  dialect_numbers: DialectNumbersTable;
  retired_numbers: RetiredNumbersTable;
  dialect_counters: DialectCountersTable;
  number_counts: NumberCountsTable;
  import_counts: ImportCountsTable;
  recordings: RecordingsTable;
  recording_counts: RecordingCountsTable;
  signing_keys: SigningKeysTable;
  audit_events: AuditEventsTable;
}

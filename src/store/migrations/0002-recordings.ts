import { sql } from 'kysely';
import type { Migration } from './index.ts';

/** Recordings, the keys that sign their links, and what happened to them. */
export const recordings: Migration = {
  name: '0002-recordings',
  statements: ({ db, big, text, keyed, plain }) => {
    const asText = sql.raw(text);
    const { schema } = db;
    const raw = (statement: string) => ({ compile: () => ({ sql: statement }) });
    const columns = [
      'contact_center_id integer not null',
      'number integer not null',
      `id ${text} not null`,
      `media_id ${text} not null`,
      'user_number integer',
      `lead_id ${big}`,
      `call_id ${text}`,
      `direction ${text}`,
      `remote_number ${text}`,
      `started_at ${big} not null`,
      `ended_at ${big}`,
      'seconds integer',
      `media_type ${text}`,
      `bytes ${big}`,
      `sha256 ${text}`,
      `state ${text} not null`,
      'legal_hold integer not null',
      `keep_until ${big}`,
      'revocations integer not null',
      `created_at ${big} not null`,
      // Audio that is still to be removed: "main:UUID archive:UUID ...".
      `leftover ${text}`,
      // The copy of the audio that is being made, in the same form.
      `moving ${text}`,
      // When the audio last came back to the main tier; null where it never left.
      `restored_at ${big}`,
      `idempotency_key ${text}`,
      `fingerprint ${text}`,
      'constraint recordings_pk primary key (contact_center_id, number)',
      'constraint recordings_media unique (contact_center_id, media_id)',
      'constraint recordings_user foreign key (contact_center_id, user_number) references users (contact_center_id, number)',
    ];
    const index = (name: string, names: readonly string[], where?: string) =>
      raw(
        `create index recordings_${name} on recordings (contact_center_id, ${names.join(', ')})${where === undefined ? '' : ` where ${where}`}`,
      );
    return [
      raw(`alter table contact_centers add column next_recording_number ${big} not null default 1`),
      raw(`alter table contact_centers add column recordings_revision ${big} not null default 0`),
      raw(`alter table contact_centers add column next_audit_number ${big} not null default 1`),
      raw(`create table recordings (${columns.join(', ')}) ${plain}`),
      // With all that a list shows: the rows of a page lie all over the table, each a page of its own to read.
      index(
        'by_user',
        [
          ...['user_number', 'started_at', 'number'],
          ...['lead_id', 'ended_at', 'seconds', 'state', 'legal_hold', 'keep_until', 'revocations'],
        ],
        'user_number is not null',
      ),
      index('by_lead', ['lead_id', 'started_at', 'number'], 'lead_id is not null'),
      // Tombstones have no user and grow for ever: they lie apart, so that nobody has to walk past them.
      index('by_start', ['started_at', 'number'], 'user_number is not null'),
      index('purged', ['started_at', 'number'], 'user_number is null'),
      // What is due is found without walking past what is kept for longer, or held.
      index('by_keep_until', ['keep_until', 'number'], 'keep_until is not null and legal_hold = 0'),
      index(
        'by_retention',
        // The last three are the same everywhere in it: SQLite counts entries without their rows only then.
        ['started_at', 'number', 'user_number', 'keep_until', 'legal_hold'],
        'user_number is not null and keep_until is null and legal_hold = 0',
      ),
      index('by_archiving', ['coalesce(restored_at, started_at)', 'number'], "state = 'stored'"),
      index('held', ['number'], 'legal_hold = 1'),
      index('by_leftover', ['number'], 'leftover is not null'),
      index('moving', ['number'], 'moving is not null'),
      index('pending', ['created_at', 'number'], "state = 'pending'"),
      raw(
        'create unique index recordings_by_idempotency on recordings (contact_center_id, idempotency_key) where idempotency_key is not null',
      ),
      schema
        .createTable('recording_counts')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        // 0 is everyone together.
        .addColumn('user_number', 'integer', (column) => column.notNull())
        .addColumn('day', 'integer', (column) => column.notNull())
        .addColumn('count', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('recording_counts_pk', ['contact_center_id', 'user_number', 'day'])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('signing_keys')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('key_id', asText, (column) => column.notNull())
        .addColumn('secret', asText, (column) => column.notNull())
        .addColumn('created_at', big, (column) => column.notNull())
        // From then on it signs nothing more; links that it signed hold until they expire.
        .addColumn('retired_at', big)
        .addPrimaryKeyConstraint('signing_keys_pk', ['contact_center_id', 'key_id'])
        .addForeignKeyConstraint('signing_keys_contact_center', ['contact_center_id'], 'contact_centers', [
          'contact_center_id',
        ])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('audit_events')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('number', big, (column) => column.notNull())
        .addColumn('at', big, (column) => column.notNull())
        .addColumn('actor_kind', asText, (column) => column.notNull())
        .addColumn('token_id', asText)
        .addColumn('action', asText, (column) => column.notNull())
        .addColumn('subject', asText)
        .addColumn('outcome', asText, (column) => column.notNull())
        .addColumn('details', asText, (column) => column.notNull())
        .addPrimaryKeyConstraint('audit_events_pk', ['contact_center_id', 'number'])
        .modifyEnd(sql.raw(keyed)),
    ];
  },
};

import { sql } from 'kysely';
import type { Migration } from './index.ts';

/** Contact centers, tokens, users, and what finds users in each dialect. */
export const firstDirectory: Migration = {
  name: '0001-directory',
  statements: ({ db, big, text, keyed, plain }) => {
    const asText = sql.raw(text);
    const { schema } = db;
    const dictionary = (table: string) =>
      schema
        .createTable(table)
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('name', asText, (column) => column.notNull())
        .addColumn('name_key', asText, (column) => column.notNull())
        .addPrimaryKeyConstraint(`${table}_pk`, ['contact_center_id', 'number'])
        .addUniqueConstraint(`${table}_name`, ['contact_center_id', 'name_key'])
        .addForeignKeyConstraint(`${table}_contact_center`, ['contact_center_id'], 'contact_centers', [
          'contact_center_id',
        ])
        .modifyEnd(sql.raw(keyed));

    const texts = (names: readonly string[]) => names.map((name) => `${name} ${text} not null`);
    const nullableTexts = (names: readonly string[]) => names.map((name) => `${name} ${text}`);
    const ints = (names: readonly string[]) => names.map((name) => `${name} integer not null`);
    const users = [
      ...ints(['contact_center_id', 'number', 'version', 'role_number']),
      ...texts(['id', 'login_id', 'first_name', 'last_name', 'status', 'level', 'queue_override']),
      ...nullableTexts(['email', 'email_key', 'login_id_key', 'display_name']),
      ...ints(['allow_queue_selection', 'allow_callbacks', 'allow_transfers', 'default_blended']),
      ...ints(['allow_blended_campaign', 'notifications', 'alter_customer_data']),
      ...texts(['callback_types', 'timezone', 'connection_type', 'extensions']),
      `created_at ${big} not null`,
      `last_login_at ${big}`,
      ...nullableTexts([
        'sip_account',
        'sip_account_key',
        'caller_id_group',
        'webrtc_ringtone',
        'employee_id',
        'agent',
      ]),
      ...texts(['teams', 'supervised_teams', 'skills', 'channels', 'queues', 'extra']),
      ...ints(['login_based_calling', 'international_calling', 'web_login']),
      'constraint users_pk primary key (contact_center_id, number)',
      'constraint users_id unique (contact_center_id, id)',
      'constraint users_email unique (contact_center_id, email_key)',
      'constraint users_login_id unique (contact_center_id, login_id_key)',
      'constraint users_role foreign key (contact_center_id, role_number) references roles (contact_center_id, number)',
    ];
    const raw = (statement: string) => ({ compile: () => ({ sql: statement }) });

    return [
      schema
        .createTable('contact_centers')
        .addColumn('contact_center_id', 'integer', (column) => column.primaryKey())
        .addColumn('name', asText, (column) => column.notNull().unique())
        .addColumn('timezone', asText, (column) => column.notNull())
        .addColumn('settings', asText, (column) => column.notNull())
        .addColumn('revision', big, (column) => column.notNull())
        .addColumn('next_number', big, (column) => column.notNull())
        .addColumn('created_at', big, (column) => column.notNull())
        .modifyEnd(sql.raw(plain)),
      schema
        .createTable('tokens')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('token_id', asText, (column) => column.notNull())
        .addColumn('hash', asText, (column) => column.notNull().unique())
        .addColumn('label', asText, (column) => column.notNull())
        .addColumn('scopes', asText, (column) => column.notNull())
        .addColumn('dialects', asText)
        .addColumn('created_at', big, (column) => column.notNull())
        .addColumn('expires_at', big)
        .addColumn('revoked_at', big)
        .addPrimaryKeyConstraint('tokens_pk', ['contact_center_id', 'token_id'])
        .addForeignKeyConstraint('tokens_contact_center', ['contact_center_id'], 'contact_centers', [
          'contact_center_id',
        ])
        .modifyEnd(sql.raw(keyed)),
      dictionary('roles'),
      dictionary('teams'),
      raw(`create table users (${users.join(', ')}) ${plain}`),
      schema
        .createIndex('users_sip_account')
        .on('users')
        .columns(['contact_center_id', 'sip_account_key'])
        .where(sql<boolean>`sip_account_key is not null`),
      schema
        .createTable('user_extensions')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('extension', asText, (column) => column.notNull())
        .addColumn('user_number', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('user_extensions_pk', ['contact_center_id', 'extension'])
        .addForeignKeyConstraint('user_extensions_user', ['contact_center_id', 'user_number'], 'users', [
          'contact_center_id',
          'number',
        ])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('user_terms')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('dialect', asText, (column) => column.notNull())
        .addColumn('term', asText, (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('user_terms_pk', ['contact_center_id', 'dialect', 'term', 'number'])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('dialects')
        .addColumn('name', asText, (column) => column.primaryKey())
        .addColumn('searches', asText, (column) => column.notNull())
        .modifyEnd(sql.raw(plain)),
      schema
        .createTable('dialect_numbers')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('dialect', asText, (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addColumn('user_number', 'integer', (column) => column.notNull())
        .addColumn('given', 'integer', (column) => column.notNull())
        .addColumn('version', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('dialect_numbers_pk', ['contact_center_id', 'dialect', 'number'])
        .addUniqueConstraint('dialect_numbers_user', ['contact_center_id', 'user_number', 'dialect'])
        .addForeignKeyConstraint('dialect_numbers_of', ['contact_center_id', 'user_number'], 'users', [
          'contact_center_id',
          'number',
        ])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('retired_numbers')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('dialect', asText, (column) => column.notNull())
        .addColumn('number', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('retired_numbers_pk', ['contact_center_id', 'dialect', 'number'])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('dialect_counters')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('dialect', asText, (column) => column.notNull())
        .addColumn('highest', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('dialect_counters_pk', ['contact_center_id', 'dialect'])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('number_counts')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('dialect', asText, (column) => column.notNull())
        .addColumn('level', 'integer', (column) => column.notNull())
        .addColumn('block', 'integer', (column) => column.notNull())
        .addColumn('count', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('number_counts_pk', ['contact_center_id', 'dialect', 'level', 'block'])
        .modifyEnd(sql.raw(keyed)),
      schema
        .createTable('import_counts')
        .addColumn('contact_center_id', 'integer', (column) => column.notNull())
        .addColumn('outcome', asText, (column) => column.notNull())
        .addColumn('count', big, (column) => column.notNull())
        .addPrimaryKeyConstraint('import_counts_pk', ['contact_center_id', 'outcome'])
        .modifyEnd(sql.raw(keyed)),
    ];
  },
};

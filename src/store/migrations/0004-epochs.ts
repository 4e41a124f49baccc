import { createEpoch } from '../epochs.ts';
import type { Migration } from './index.ts';

/** What tells a contact center's revisions from those that it had before a restore. */
export const epochs: Migration = {
  name: '0004-epochs',
  statements: ({ text }) => {
    const raw = (statement: string) => ({ compile: () => ({ sql: statement }) });
    return [
      raw(`alter table contact_centers add column epoch ${text} not null default ''`),
      // Another one each time that a backup from before this migration is restored.
      raw(`update contact_centers set epoch = '${createEpoch()}'`),
    ];
  },
};

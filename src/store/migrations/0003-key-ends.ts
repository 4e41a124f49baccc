import type { Migration } from './index.ts';

/** Until when a tombstone keeps its idempotency key. */
export const keyEnds: Migration = {
  name: '0003-key-ends',
  statements: ({ big }) => {
    const raw = (statement: string) => ({ compile: () => ({ sql: statement }) });
    return [
      raw(`alter table recordings add column key_until ${big}`),
      raw(
        'create index recordings_by_key_end on recordings (contact_center_id, key_until, number) where key_until is not null',
      ),
    ];
  },
};

import { forgetAt, mintSigningKey, type SigningKey } from '../recordings/links.ts';
import type { SigningKeys } from '../recordings/ports.ts';
import type { AddEvents } from './audit.ts';
import type { Cell, Engine, Transaction } from './engine.ts';
import { KeptReads } from './kept-reads.ts';
import { int, type Statements, text } from './statements.ts';

const KEY = ['key_id', 'secret', 'created_at', 'retired_at'] as const;

function readKey([id, secret, createdAt, retiredAt]: readonly Cell[]): SigningKey {
  return {
    id: String(id),
    secret: String(secret),
    createdAt: Number(createdAt),
    retiredAt: retiredAt == null ? null : Number(retiredAt),
  };
}

/** Keys that sign recordings' links, in the store. */
export function createSigningKeys(engine: Engine, statements: Statements, addEvents: AddEvents): SigningKeys {
  const current = statements.get('signing_keys.current', '', (db) =>
    db
      .selectFrom('signing_keys')
      .select(KEY)
      .where('contact_center_id', '=', int('cc'))
      .where('retired_at', 'is', null),
  );
  const find = statements.get('signing_keys.find', '', (db) =>
    db
      .selectFrom('signing_keys')
      .select(KEY)
      .where('contact_center_id', '=', int('cc'))
      .where('key_id', '=', text('id')),
  );
  const add = statements.get('signing_keys.add', '', (db) =>
    db.insertInto('signing_keys').values({
      contact_center_id: int('cc'),
      key_id: text('id'),
      secret: text('secret'),
      created_at: int('now'),
      retired_at: null,
    }),
  );
  const retired = statements.get('signing_keys.retired', '', (db) =>
    db
      .selectFrom('signing_keys')
      .select(KEY)
      .where('contact_center_id', '=', int('cc'))
      .where('retired_at', 'is not', null),
  );
  const retire = statements.get('signing_keys.retire', '', (db) =>
    db
      .updateTable('signing_keys')
      .set({ retired_at: int('now') })
      .where('contact_center_id', '=', int('cc'))
      .where('retired_at', 'is', null),
  );
  const drop = statements.get('signing_keys.drop', '', (db) =>
    db.deleteFrom('signing_keys').where('contact_center_id', '=', int('cc')).where('key_id', '=', text('id')),
  );

  const addKey = async (transaction: Transaction, cc: number, now: number): Promise<SigningKey> => {
    const key = mintSigningKey(now);
    await transaction.run(add, { cc, id: key.id, secret: key.secret, now });
    return key;
  };
  /** Drops retired keys: all of them, or those that no living link needs. Gives how many are left. */
  const dropRetired = async (transaction: Transaction, cc: number, now: number, all: boolean) => {
    let left = 0;
    for (const { id, retiredAt } of (await transaction.read(retired, { cc })).map(readKey)) {
      if (all || forgetAt(retiredAt ?? now) <= now) await transaction.run(drop, { cc, id });
      else left += 1;
    }
    return left;
  };
  const kept = new KeptReads<SigningKey>(engine, 1000);

  return {
    async current({ id: cc }, now) {
      const known = await kept.find(String(cc), async () => {
        const [row] = await engine.read(current, { cc });
        return row === undefined ? null : readKey(row);
      });
      if (known !== null) return known;
      return engine.transaction([cc], async (transaction) => {
        // Another process may have made it meanwhile.
        const [row] = await transaction.read(current, { cc });
        return row === undefined ? addKey(transaction, cc, now) : readKey(row);
      });
    },

    async find(contactCenterId, keyId) {
      const [row] = await engine.read(find, { cc: contactCenterId, id: keyId });
      return row === undefined ? null : readKey(row);
    },

    rotate: ({ id: cc }, now, { endLinks }, event) =>
      engine.transaction([cc], async (transaction) => {
        await transaction.run(retire, { cc, now });
        const left = await dropRetired(transaction, cc, now, endLinks);
        const key = await addKey(transaction, cc, now);
        await addEvents(transaction, cc, [event]);
        return { key, retired: left };
      }),
  };
}

import type { Compilable } from 'kysely';
import type { ContactCenter } from '../access/contact-center.ts';
import type { AccessStore } from '../access/ports.ts';
import { SCOPES, type Token } from '../access/token.ts';
import { Failure } from '../errors.ts';
import type { AddEvents } from './audit.ts';
import type { Cell, Engine, Statement, Values } from './engine.ts';
import { createEpoch } from './epochs.ts';
import { KeptReads } from './kept-reads.ts';
import { type Builder, cell, int, type Statements, text } from './statements.ts';

/** The columns that make a contact center, in the order in which `readContactCenter` takes them. */
export const CONTACT_CENTER = [
  'contact_center_id',
  'name',
  'timezone',
  'settings',
  'epoch',
  'revision',
  'recordings_revision',
] as const;

/** A contact center from its row. @param era of the engine, while it was read */
export function readContactCenter(row: readonly Cell[], era: number): ContactCenter {
  const [id, name, timezone, settings, epoch, revision, recordingsRevision] = row;
  return {
    id: Number(id),
    name: String(name),
    timezone: String(timezone),
    settings: JSON.parse(String(settings)),
    history: `${epoch} ${era}`,
    revision: Number(revision),
    recordingsRevision: Number(recordingsRevision),
  };
}

const TOKEN = [
  'token_id',
  'tokens.contact_center_id',
  'label',
  'scopes',
  'dialects',
  'tokens.created_at',
  'expires_at',
  'revoked_at',
] as const;

const numberOrNull = (value: Cell | undefined): number | null => (value == null ? null : Number(value));

function readToken(row: readonly Cell[]): Token {
  const [id, contactCenterId, label, scopes, dialects, createdAt, expiresAt, revokedAt] = row;
  const held = String(scopes).split(',');
  return {
    id: String(id),
    contactCenterId: Number(contactCenterId),
    label: String(label),
    scopes: SCOPES.filter((scope) => held.includes(scope)),
    dialects: dialects == null ? null : String(dialects).split(','),
    createdAt: Number(createdAt),
    expiresAt: numberOrNull(expiresAt),
    revokedAt: numberOrNull(revokedAt),
  };
}

/** Contact centers and tokens in the store. */
export function createAccessStore(engine: Engine, statements: Statements, addEvents: AddEvents): AccessStore {
  const get = (name: string, build: (db: Builder) => Compilable) =>
    statements.get(`access.${name}`, '', build);

  const find = get('find_contact_center', (db) =>
    db.selectFrom('contact_centers').select(CONTACT_CENTER).where('name', '=', text('name')),
  );
  const findById = get('find_contact_center_by_id', (db) =>
    db.selectFrom('contact_centers').select(CONTACT_CENTER).where('contact_center_id', '=', int('id')),
  );
  const list = get('list_contact_centers', (db) =>
    db.selectFrom('contact_centers').select(CONTACT_CENTER).orderBy('name'),
  );
  const lastId = get('last_contact_center', (db) =>
    db.selectFrom('contact_centers').select((each) => each.fn.max('contact_center_id').as('last')),
  );
  const insert = get('add_contact_center', (db) =>
    db.insertInto('contact_centers').values({
      contact_center_id: int('id'),
      name: text('name'),
      timezone: text('timezone'),
      settings: '{}',
      epoch: text('epoch'),
      revision: 0,
      next_number: 1,
      created_at: int('now'),
    }),
  );
  const update = get('set_contact_center', (db) =>
    db
      .updateTable('contact_centers')
      .set((each) => ({
        timezone: text('timezone'),
        settings: text('settings'),
        revision: each('revision', '+', 1),
      }))
      .where('contact_center_id', '=', int('id')),
  );
  const addToken = get('add_token', (db) =>
    db.insertInto('tokens').values({
      contact_center_id: int('contactCenterId'),
      token_id: text('id'),
      hash: text('hash'),
      label: text('label'),
      scopes: text('scopes'),
      dialects: cell<string | null>('dialects'),
      created_at: int('createdAt'),
      expires_at: cell<number | null>('expiresAt'),
      revoked_at: null,
    }),
  );
  const listTokens = get('list_tokens', (db) =>
    db
      .selectFrom('tokens')
      .select(TOKEN)
      .where('contact_center_id', '=', int('contactCenterId'))
      .orderBy('token_id'),
  );
  const findToken = get('find_token', (db) =>
    db
      .selectFrom('tokens')
      .innerJoin('contact_centers', 'contact_centers.contact_center_id', 'tokens.contact_center_id')
      .select(TOKEN)
      .select(CONTACT_CENTER.map((column) => `contact_centers.${column}` as const))
      .where('hash', '=', text('hash')),
  );
  const live = get('find_live_token', (db) =>
    db
      .selectFrom('tokens')
      .select('token_id')
      .where('contact_center_id', '=', int('contactCenterId'))
      .where('token_id', '=', text('id'))
      .where('revoked_at', 'is', null),
  );
  const revoke = get('revoke_token', (db) =>
    db
      .updateTable('tokens')
      .set({ revoked_at: int('now') })
      .where('contact_center_id', '=', int('contactCenterId'))
      .where('token_id', '=', text('id')),
  );
  const dropExpired = get('drop_expired_tokens', (db) =>
    db
      .deleteFrom('tokens')
      .where('contact_center_id', '=', int('contactCenterId'))
      .where('expires_at', '<', int('now')),
  );

  // A revocation empties it at once.
  const found = new KeptReads<{ token: Token; contactCenter: ContactCenter }>(engine, 10_000);

  /** Rows that tell of contact centers, and the era that they are of. */
  const readOf = async (statement: Statement, values: Values) => {
    for (;;) {
      const era = engine.era();
      const rows = await engine.read(statement, values);
      // Else it is not known which server gave them.
      if (engine.era() === era) return { rows, era };
    }
  };
  const findBy = async (statement: Statement, values: Values) => {
    const { rows, era } = await readOf(statement, values);
    return rows[0] === undefined ? null : readContactCenter(rows[0], era);
  };
  const findContactCenter = (name: string) => findBy(find, { name });

  return {
    findContactCenter,

    findContactCenterById: (id) => findBy(findById, { id }),

    async createContactCenter(name, timezone, now) {
      return engine.transaction([], async (transaction) => {
        const [taken] = await transaction.read(find, { name });
        if (taken !== undefined) {
          throw new Failure('conflict', `there is a contact center "${name}" already; choose another name`);
        }
        const [last] = await transaction.read(lastId, {});
        const id = Number(last?.[0] ?? 0) + 1;
        const epoch = createEpoch();
        await transaction.run(insert, { id, name, timezone, epoch, now });
        return readContactCenter([id, name, timezone, '{}', epoch, 0, 0], engine.era());
      });
    },

    async contactCenters() {
      const { rows, era } = await readOf(list, {});
      return rows.map((row) => readContactCenter(row, era));
    },

    async setSetting(contactCenter, key, value, event) {
      await engine.transaction([contactCenter.id], async (transaction) => {
        const [row] = await transaction.read(find, { name: contactCenter.name });
        if (row === undefined)
          throw new Failure('not_found', `there is no contact center "${contactCenter.name}"`);
        const current = readContactCenter(row, engine.era());
        const settings = key === 'timezone' ? current.settings : { ...current.settings, [key]: value };
        await transaction.run(update, {
          id: current.id,
          timezone: key === 'timezone' ? value : current.timezone,
          settings: JSON.stringify(settings),
        });
        const old = key === 'timezone' ? current.timezone : (current.settings[key] ?? null);
        if (event !== undefined) await addEvents(transaction, current.id, [event(old)]);
      });
    },

    async addToken(token, hash) {
      await engine.transaction([], (transaction) =>
        transaction.run(addToken, {
          contactCenterId: token.contactCenterId,
          id: token.id,
          hash,
          label: token.label,
          scopes: token.scopes.join(','),
          dialects: token.dialects?.join(',') ?? null,
          createdAt: token.createdAt,
          expiresAt: token.expiresAt,
        }),
      );
    },

    async tokens(contactCenter) {
      return (await engine.read(listTokens, { contactCenterId: contactCenter.id })).map(readToken);
    },

    async revokeToken(id, now) {
      return engine.transaction([], async (transaction) => {
        for (const row of await transaction.read(list, {})) {
          const contactCenterId = Number(row[0]);
          const found = await transaction.read(live, { contactCenterId, id });
          if (found.length === 0) continue;
          await transaction.run(revoke, { contactCenterId, id, now });
          return true;
        }
        return false;
      });
    },

    async dropExpiredTokens(contactCenter, now) {
      await engine.transaction([], (transaction) =>
        transaction.run(dropExpired, { contactCenterId: contactCenter.id, now }),
      );
    },

    findToken: (hash) =>
      found.find(hash, async () => {
        const { rows, era } = await readOf(findToken, { hash });
        const [row] = rows;
        if (row === undefined) return null;
        return { token: readToken(row), contactCenter: readContactCenter(row.slice(TOKEN.length), era) };
      }),
  };
}

import { type RawBuilder, sql } from 'kysely';
import type { AuditEvent } from '../../access/audit.ts';
import {
  type Copy,
  copyOf,
  type Due,
  type LettingStore,
  type Whereabouts,
} from '../../recordings/letting.ts';
import type { RecordingStore } from '../../recordings/ports.ts';
import type { Recording } from '../../recordings/recording.ts';
import { CONTACT_CENTER, readContactCenter } from '../access.ts';
import type { AddEvents } from '../audit.ts';
import type { Cell, Engine, Transaction } from '../engine.ts';
import type { Commit } from '../group-commit.ts';
import { type Builder, cell, int, listValues, padded, type Statements, texts } from '../statements.ts';
import { copiesOf, RECORDING_COLUMNS, readCopies, readRecording, writeCopies } from './row.ts';
import type { Bury } from './tombstone.ts';

const KEPT = [...RECORDING_COLUMNS, 'leftover', 'moving'] as const;

function readWhereabouts(row: readonly Cell[]): Whereabouts {
  const [leftover, moving] = row.slice(RECORDING_COLUMNS.length);
  return {
    recording: readRecording(row),
    leftover: readCopies(leftover),
    move: readCopies(moving)[0] ?? null,
  };
}

const isSame = (one: Copy | null, other: Copy) => one?.id === other.id && one.tier === other.tier;
const hasAudio = ({ state }: Recording) => state === 'stored' || state === 'archived';

/** The instant by which recordings fall due, and which of them do; said as their index says it. */
const RUNS: Readonly<Record<Due, { readonly at: RawBuilder<number>; readonly which: RawBuilder<boolean> }>> =
  {
    'own-end': { at: sql`keep_until`, which: sql`keep_until is not null and legal_hold = 0` },
    retention: {
      at: sql`started_at`,
      which: sql`user_number is not null and keep_until is null and legal_hold = 0`,
    },
    archive: { at: sql`coalesce(restored_at, started_at)`, which: sql`state = 'stored'` },
    pending: { at: sql`created_at`, which: sql`state = 'pending'` },
    'given-up': { at: sql`created_at`, which: sql`state = 'pending' and legal_hold = 0` },
    key: { at: sql`key_until`, which: sql`key_until is not null` },
  };

function createStatements(statements: Statements) {
  const kept = (db: Builder) =>
    db.selectFrom('recordings').select(KEPT).where('contact_center_id', '=', int('cc'));
  const onward = (db: Builder) =>
    kept(db).where('number', '>', int('after')).orderBy('number').limit(int('limit'));
  const update = (name: string, columns: readonly string[]) =>
    statements.get(`letting.${name}`, '', (db) =>
      db
        .updateTable('recordings')
        .set(Object.fromEntries(columns.map((column) => [column, cell(column)])))
        .where('contact_center_id', '=', int('cc'))
        .where('number', '=', int('number')),
    );
  return {
    due: (kind: Due) =>
      statements.get(`letting.due_${kind.replace('-', '_')}`, '', (db) => {
        const { at, which } = RUNS[kind];
        // Bounds without a cast: one would keep the index of an expression from being used.
        const [after, until] = [cell<number>('after'), cell<number>('until')];
        return db
          .selectFrom('recordings')
          .select(RECORDING_COLUMNS)
          .select(at.as('at'))
          .where('contact_center_id', '=', int('cc'))
          .where(which)
          .where(sql<boolean>`${at} >= ${after}`)
          .where(sql<boolean>`${at} <= ${until}`)
          .where(sql<boolean>`(${at} > ${after} or number > ${int('afterNumber')})`)
          .orderBy(at)
          .orderBy('number')
          .limit(int('limit'));
      }),
    countHeld: statements.get('letting.count_held', '', (db) =>
      db
        .selectFrom('recordings')
        .select((each) => each.fn.countAll<number>().as('count'))
        .where('contact_center_id', '=', int('cc'))
        .where('legal_hold', '=', sql.lit(1)),
    ),
    byNumber: statements.get('letting.whereabouts', '', (db) => kept(db).where('number', '=', int('number'))),
    byNumbers: statements.get('letting.by_numbers', '', onward),
    moving: statements.get('letting.moving', '', (db) => onward(db).where('moving', 'is not', null)),
    leftovers: statements.get('letting.leftovers', '', (db) => onward(db).where('leftover', 'is not', null)),
    byMediaIds: (size: number) =>
      statements.get('letting.by_media_ids', String(size), (db) =>
        kept(db).where('media_id', 'in', texts('id', size)),
      ),
    contactCenter: statements.get('letting.contact_center', '', (db) =>
      db.selectFrom('contact_centers').select(CONTACT_CENTER).where('contact_center_id', '=', int('cc')),
    ),
    touch: statements.get('letting.touch', '', (db) =>
      db
        .updateTable('contact_centers')
        .set((each) => ({ recordings_revision: each('recordings_revision', '+', 1) }))
        .where('contact_center_id', '=', int('cc')),
    ),
    forgetKey: statements.get('letting.forget_key', '', (db) =>
      db
        .updateTable('recordings')
        .set({ idempotency_key: null, fingerprint: null, sha256: null, key_until: null })
        .where('contact_center_id', '=', int('cc'))
        .where('number', '=', int('number'))
        .where('key_until', '<=', int('now')),
    ),
    setCopies: update('set_copies', ['moving', 'leftover']),
    setAudio: update('set_audio', ['state', 'media_id', 'moving', 'leftover', 'restored_at']),
  };
}

/** What lets recordings go, in the store. */
export function createLettingStore(
  engine: Engine,
  statements: Statements,
  commit: Commit,
  bury: Bury,
  addEvents: AddEvents,
  discard: RecordingStore['discard'],
): Omit<LettingStore, 'wipe'> {
  const known = createStatements(statements);

  /** Changes a recording that is still as is expected; gives whether it was. */
  function changeIf(
    cc: number,
    number: number,
    isExpected: (found: Whereabouts) => boolean,
    change: (transaction: Transaction, found: Whereabouts) => Promise<void>,
  ): Promise<boolean> {
    return commit(cc, async (transaction) => {
      const [row] = await transaction.read(known.byNumber, { cc, number });
      const found = row === undefined ? null : readWhereabouts(row);
      if (found === null || !isExpected(found)) return false;
      await change(transaction, found);
      return true;
    });
  }

  function setCopies(
    cc: number,
    number: number,
    isExpected: (found: Whereabouts) => boolean,
    copies: (found: Whereabouts) => Pick<Whereabouts, 'leftover' | 'move'>,
  ): Promise<boolean> {
    return changeIf(cc, number, isExpected, async (transaction, found) => {
      const { move, leftover } = copies(found);
      const values = { moving: writeCopies(move === null ? [] : [move]), leftover: writeCopies(leftover) };
      await transaction.run(known.setCopies, { cc, number, ...values });
    });
  }

  /** Makes a copy the audio of a recording. */
  async function turnTo(
    transaction: Transaction,
    cc: number,
    number: number,
    copy: Copy,
    rest: {
      readonly leftover: readonly Copy[];
      readonly restoredAt: number | null;
      readonly event: AuditEvent;
    },
  ): Promise<void> {
    await transaction.run(known.setAudio, {
      cc,
      number,
      state: copy.tier === 'archive' ? 'archived' : 'stored',
      media_id: copy.id,
      moving: null,
      leftover: writeCopies(rest.leftover),
      restored_at: rest.restoredAt,
    });
    await transaction.run(known.touch, { cc });
    await addEvents(transaction, cc, [rest.event]);
  }

  return {
    discard,

    async due({ id: cc }, kind, until, after, limit) {
      const from = after ?? { at: -8.64e15, number: 0 };
      const values = { cc, until, after: from.at, afterNumber: from.number, limit: limit + 1 };
      const rows = await engine.read(known.due(kind), values);
      const last = rows.length > limit ? rows[limit - 1] : undefined;
      return {
        recordings: rows.slice(0, limit).map(readRecording),
        next: last === undefined ? null : { at: Number(last.at(-1)), number: Number(last[0]) },
      };
    },

    async countHeld({ id: cc }) {
      return Number((await engine.read(known.countHeld, { cc }))[0]?.[0]);
    },

    purgeIf({ id: cc }, number, isToGo, event) {
      return commit(cc, async (transaction) => {
        const [row] = await transaction.read(known.byNumber, { cc, number });
        const [whose] = await transaction.read(known.contactCenter, { cc });
        if (row === undefined || whose === undefined) return null;
        const found = readWhereabouts(row);
        const { recording } = found;
        if (recording.legalHold || !isToGo(readContactCenter(whose, engine.era()), recording)) return null;
        const copies = copiesOf(found);
        await bury(transaction, cc, recording, copies, event);
        await transaction.run(known.touch, { cc });
        return { number, copies };
      });
    },

    forgetKey: ({ id: cc }, number, now) =>
      commit(cc, (transaction) => transaction.run(known.forgetKey, { cc, number, now })),

    beginMove: ({ id: cc }, number, copy) =>
      setCopies(
        cc,
        number,
        ({ recording, move }) => hasAudio(recording) && copyOf(recording).tier !== copy.tier && move === null,
        ({ leftover }) => ({ leftover, move: copy }),
      ),

    finishMove: ({ id: cc }, number, copy, now, event) =>
      changeIf(
        cc,
        number,
        ({ move }) => isSame(move, copy),
        (transaction, { recording, leftover }) =>
          turnTo(transaction, cc, number, copy, {
            leftover: [...leftover, copyOf(recording)],
            restoredAt: copy.tier === 'main' ? now : null,
            event,
          }),
      ),

    callOffMove: ({ id: cc }, number, copy) =>
      setCopies(
        cc,
        number,
        ({ move }) => isSame(move, copy),
        ({ leftover }) => ({ leftover: [...leftover, copy], move: null }),
      ),

    async moving({ id: cc }, after, limit) {
      return (await engine.read(known.moving, { cc, after, limit })).map(readWhereabouts);
    },

    async leftovers({ id: cc }, after, limit) {
      const rows = await engine.read(known.leftovers, { cc, after, limit });
      return rows.map(readWhereabouts).map(({ recording, leftover }) => ({
        number: recording.number,
        copies: leftover,
      }));
    },

    async clearLeftover({ id: cc }, number, copies) {
      await setCopies(
        cc,
        number,
        () => true,
        ({ leftover, move }) => ({
          leftover: leftover.filter((each) => !copies.some((copy) => isSame(each, copy))),
          move,
        }),
      );
    },

    async byMediaIds({ id: cc }, ids) {
      const size = padded(ids.length);
      const rows = await engine.read(known.byMediaIds(size), { cc, ...listValues('id', ids, size) });
      return rows.map(readWhereabouts);
    },

    async byNumbers({ id: cc }, after, limit) {
      return (await engine.read(known.byNumbers, { cc, after, limit })).map(readWhereabouts);
    },

    adopt: ({ id: cc }, { number, ...was }, copy, event) =>
      changeIf(
        cc,
        number,
        ({ recording, leftover, move }) =>
          hasAudio(recording) &&
          isSame(copyOf(recording), copyOf(was)) &&
          move === null &&
          !leftover.some((each) => isSame(each, copy)),
        (transaction, { leftover }) =>
          turnTo(transaction, cc, number, copy, {
            leftover,
            restoredAt: null,
            event,
          }),
      ),

    bury: ({ id: cc }, { number, ...was }, event) =>
      changeIf(
        cc,
        number,
        ({ recording }) =>
          hasAudio(recording) && isSame(copyOf(recording), copyOf(was)) && !recording.legalHold,
        async (transaction, found) => {
          await bury(transaction, cc, found.recording, copiesOf(found), event);
          await transaction.run(known.touch, { cc });
        },
      ),
  };
}

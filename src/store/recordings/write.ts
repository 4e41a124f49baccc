import { sql } from 'kysely';
import { Failure } from '../../errors.ts';
import type { Tier } from '../../recordings/media.ts';
import type { Idempotency, RecordingStore } from '../../recordings/ports.ts';
import type { NewRecording, Recording } from '../../recordings/recording.ts';
import type { AddEvents } from '../audit.ts';
import type { Cell, Engine, Reader, Transaction, Values } from '../engine.ts';
import type { Commit } from '../group-commit.ts';
import { cell, inserterOf, int, type Statements, text } from '../statements.ts';
import type { DayCounts } from './day-counts.ts';
import { RECORDING_COLUMNS, readRecording, readTiers, writeTiers } from './row.ts';

const NEW_COLUMNS = ['contact_center_id', ...RECORDING_COLUMNS, 'idempotency_key', 'fingerprint'] as const;

/** What is kept of a recording beside what the domain sees. */
interface Kept {
  readonly recording: Recording;
  readonly fingerprint: string | null;
  readonly leftover: readonly Tier[];
}

function readKept(row: readonly Cell[]): Kept {
  const [fingerprint, leftover] = row.slice(RECORDING_COLUMNS.length);
  return {
    recording: readRecording(row),
    fingerprint: fingerprint == null ? null : String(fingerprint),
    leftover: readTiers(leftover),
  };
}

/** The tier in which a recording's audio lies, or would lie. */
const tierOf = ({ state }: Recording): Tier => (state === 'archived' ? 'archive' : 'main');

type Writes = Omit<RecordingStore, 'page'>;

/** What reads and writes single recordings. */
export function createRecordingWrites(
  engine: Engine,
  statements: Statements,
  counts: DayCounts,
  commit: Commit,
  addEvents: AddEvents,
): Writes {
  const kept = [...RECORDING_COLUMNS, 'fingerprint', 'leftover'] as const;
  const byNumber = statements.get('recordings.find', '', (db) =>
    db
      .selectFrom('recordings')
      .select(kept)
      .where('contact_center_id', '=', int('cc'))
      .where('number', '=', int('number')),
  );
  const byKey = statements.get('recordings.find_by_key', '', (db) =>
    db
      .selectFrom('recordings')
      .select(kept)
      .where('contact_center_id', '=', int('cc'))
      .where('idempotency_key', '=', text('key')),
  );
  const leftovers = statements.get('recordings.leftovers', '', (db) =>
    db
      .selectFrom('recordings')
      .select(['number', 'id', 'leftover'])
      .where('contact_center_id', '=', int('cc'))
      .where('leftover', 'is not', null)
      .where('number', '>', int('after'))
      .orderBy('number')
      .limit(int('limit')),
  );
  const pending = statements.get('recordings.pending', '', (db) =>
    db
      .selectFrom('recordings')
      .select(RECORDING_COLUMNS)
      .where('contact_center_id', '=', int('cc'))
      // As the index says it, which otherwise would not be taken.
      .where('state', '=', sql.lit('pending'))
      .where('created_at', '<', int('before'))
      .orderBy('created_at')
      .orderBy('number')
      .limit(int('limit')),
  );
  const findUser = statements.get('recordings.find_user', '', (db) =>
    db
      .selectFrom('users')
      .select('number')
      .where('contact_center_id', '=', int('cc'))
      .where('number', '=', int('user')),
  );
  const nextNumber = statements.get('recordings.next_number', '', (db) =>
    db
      .selectFrom('contact_centers')
      .select('next_recording_number')
      .where('contact_center_id', '=', int('cc')),
  );
  const touch = statements.get('recordings.touch', '', (db) =>
    db
      .updateTable('contact_centers')
      .set((each) => ({
        next_recording_number: each('next_recording_number', '+', int('by')),
        recordings_revision: each('recordings_revision', '+', 1),
      }))
      .where('contact_center_id', '=', int('cc')),
  );
  const newRecordings = inserterOf(statements, 'recordings', NEW_COLUMNS);
  const update = (name: string, columns: readonly string[]) =>
    statements.get(`recordings.${name}`, '', (db) =>
      db
        .updateTable('recordings')
        .set(Object.fromEntries(columns.map((column) => [column, cell(column)])))
        .where('contact_center_id', '=', int('cc'))
        .where('number', '=', int('number')),
    );
  const setId = update('set_id', ['id']);
  const store = update('store', ['state', 'media_type', 'bytes', 'sha256', 'seconds', 'ended_at']);
  const set = update('set', ['state', 'leftover', 'legal_hold', 'keep_until', 'revocations']);
  const bury = update('bury', [
    'user_number',
    'lead_id',
    'call_id',
    'remote_number',
    'fingerprint',
    'keep_until',
    'state',
    'leftover',
  ]);
  const setLeftover = update('set_leftover', ['leftover']);
  const drop = statements.get('recordings.drop', '', (db) =>
    db
      .deleteFrom('recordings')
      .where('contact_center_id', '=', int('cc'))
      .where('number', '=', int('number')),
  );

  async function find(reader: Reader, cc: number, number: number): Promise<Kept | null> {
    const [row] = await reader.read(byNumber, { cc, number });
    return row === undefined ? null : readKept(row);
  }

  async function findByKey(reader: Reader, cc: number, idempotency: Idempotency): Promise<Recording | null> {
    const [row] = await reader.read(byKey, { cc, key: idempotency.key });
    if (row === undefined) return null;
    const { recording, fingerprint } = readKept(row);
    // What was said of a tombstone is gone.
    if (fingerprint !== null && fingerprint !== idempotency.fingerprint) {
      throw new Failure('conflict', 'that idempotency key was used for another recording');
    }
    return recording;
  }

  async function need(reader: Reader, cc: number, number: number): Promise<Kept> {
    const found = await find(reader, cc, number);
    if (found === null) throw new Failure('not_found', 'there is no such recording');
    return found;
  }

  async function insert(
    transaction: Transaction,
    cc: number,
    { legalHold, ...said }: NewRecording,
    made: { readonly id: string; readonly now: number },
    key: string | null,
    fingerprint: string | null,
  ): Promise<Recording> {
    const { userNumber } = said;
    if ((await transaction.read(findUser, { cc, user: userNumber })).length === 0) {
      throw new Failure('invalid', 'user: is nobody in this contact center', {
        fields: { user: ['is nobody in this contact center'] },
      });
    }
    const number = Number((await transaction.read(nextNumber, { cc }))[0]?.[0]);
    const recording: Recording = {
      ...said,
      number,
      id: made.id,
      media: null,
      state: 'pending',
      legalHold,
      revocations: 0,
      createdAt: made.now,
    };
    const { leadId, callId, direction, remoteNumber, startedAt, endedAt, seconds, keepUntil } = said;
    const about = [number, made.id, userNumber, leadId, callId, direction, remoteNumber];
    const when = [startedAt, endedAt, seconds, null, null, null, 'pending'];
    const row = [cc, ...about, ...when, legalHold ? 1 : 0, keepUntil, 0, made.now, key, fingerprint];
    await transaction.insert(newRecordings, row);
    await counts.add(transaction, cc, { userNumber, startedAt }, 1);
    await transaction.run(touch, { cc, by: 1 });
    return recording;
  }

  /** Runs a change of one recording, and gives it as it then is. */
  async function change(transaction: Transaction, cc: number, number: number, run: () => Promise<void>) {
    await run();
    await transaction.run(touch, { cc, by: 0 });
    return (await need(transaction, cc, number)).recording;
  }

  return {
    async find(contactCenter, number) {
      return (await find(engine, contactCenter.id, number))?.recording ?? null;
    },

    findByKey: (contactCenter, idempotency) => findByKey(engine, contactCenter.id, idempotency),

    reserve({ id: cc }, said, made, idempotency) {
      return commit(async (transaction) => {
        if (idempotency !== undefined) {
          const recording = await findByKey(transaction, cc, idempotency);
          if (recording !== null) {
            if (recording.state !== 'pending') return { recording, isNew: false, superseded: null };
            await transaction.run(setId, { cc, number: recording.number, id: made.id });
            return { recording: { ...recording, id: made.id }, isNew: false, superseded: recording.id };
          }
        }
        const { key, fingerprint } = idempotency ?? { key: null, fingerprint: null };
        const recording = await insert(transaction, cc, said, made, key, fingerprint);
        return { recording, isNew: true, superseded: null };
      });
    },

    complete({ id: cc }, { number, id }, facts, event) {
      return commit(async (transaction) => {
        const found = await find(transaction, cc, number);
        if (found?.recording.id !== id || found.recording.state !== 'pending') {
          throw new Failure('conflict', 'another request took this recording in meanwhile');
        }
        const { mediaType, bytes, sha256, seconds, endedAt } = facts;
        const values = { state: 'stored', media_type: mediaType, bytes, sha256, seconds, ended_at: endedAt };
        return change(transaction, cc, number, async () => {
          await transaction.run(store, { cc, number, ...values });
          await addEvents(transaction, cc, [event]);
        });
      });
    },

    discard({ id: cc }, { number, id }) {
      return commit(async (transaction) => {
        const found = await find(transaction, cc, number);
        if (found?.recording.id !== id || found.recording.state !== 'pending') return false;
        const { userNumber, startedAt } = found.recording;
        await transaction.run(drop, { cc, number });
        if (userNumber !== null) await counts.add(transaction, cc, { userNumber, startedAt }, -1);
        await transaction.run(touch, { cc, by: 0 });
        return true;
      });
    },

    change({ id: cc }, number, wanted, event) {
      return commit(async (transaction) => {
        const { recording, leftover } = await need(transaction, cc, number);
        const { state, legalHold, keepUntil, revocations } = recording;
        if (state === 'purged') throw new Failure('conflict', 'the recording was let go');
        if (wanted.state !== undefined && state === 'pending') {
          throw new Failure('conflict', 'the audio of the recording has not come in yet');
        }
        const moves = wanted.state !== undefined && wanted.state !== state;
        if (moves && leftover.length > 0) {
          throw new Failure('conflict', 'the audio is still being moved; try again in a moment');
        }
        const values: Values = {
          state: wanted.state ?? state,
          leftover: writeTiers(moves ? [tierOf(recording)] : leftover),
          legal_hold: (wanted.legalHold ?? legalHold) ? 1 : 0,
          keep_until: wanted.keepUntil === undefined ? keepUntil : wanted.keepUntil,
          revocations: revocations + (wanted.revoke === true ? 1 : 0),
        };
        return change(transaction, cc, number, async () => {
          await transaction.run(set, { cc, number, ...values });
          await addEvents(transaction, cc, [event]);
        });
      });
    },

    purge({ id: cc }, number, event) {
      return commit(async (transaction) => {
        const { recording, leftover } = await need(transaction, cc, number);
        const { state, legalHold, userNumber, startedAt } = recording;
        if (state === 'purged') return recording;
        if (legalHold) throw new Failure('conflict', 'the recording is under legal hold; end that first');
        const values: Values = {
          user_number: null,
          lead_id: null,
          call_id: null,
          remote_number: null,
          fingerprint: null,
          keep_until: null,
          state: 'purged',
          leftover: writeTiers([...leftover, tierOf(recording)]),
        };
        return change(transaction, cc, number, async () => {
          await transaction.run(bury, { cc, number, ...values });
          if (userNumber !== null) await counts.add(transaction, cc, { userNumber, startedAt }, -1);
          await addEvents(transaction, cc, [event]);
        });
      });
    },

    async leftovers({ id: cc }, after, limit) {
      const rows = await engine.read(leftovers, { cc, after, limit });
      return rows.map(([number, id, leftover]) => ({
        number: Number(number),
        id: String(id),
        tiers: readTiers(leftover),
      }));
    },

    clearLeftover({ id: cc }, number, tiers) {
      return commit(async (transaction) => {
        const found = await find(transaction, cc, number);
        if (found === null) return;
        const leftover = writeTiers(found.leftover.filter((tier) => !tiers.includes(tier)));
        await transaction.run(setLeftover, { cc, number, leftover });
      });
    },

    async pending({ id: cc }, before, limit) {
      return (await engine.read(pending, { cc, before, limit })).map(readRecording);
    },
  };
}

import { Failure } from '../../errors.ts';
import type { Whereabouts } from '../../recordings/letting.ts';
import type { Idempotency, RecordingStore } from '../../recordings/ports.ts';
import type { NewRecording, Recording } from '../../recordings/recording.ts';
import type { AddEvents } from '../audit.ts';
import type { Cell, Engine, Reader, Transaction, Values } from '../engine.ts';
import type { Commit } from '../group-commit.ts';
import { cell, inserterOf, int, type Statements, text } from '../statements.ts';
import type { DayCounts } from './day-counts.ts';
import { copiesOf, RECORDING_COLUMNS, readCopies, readRecording } from './row.ts';
import type { Bury } from './tombstone.ts';

const NEW_COLUMNS = ['contact_center_id', ...RECORDING_COLUMNS, 'idempotency_key', 'fingerprint'] as const;

/** What is kept of a recording beside what the domain sees. */
interface Kept extends Whereabouts {
  readonly fingerprint: string | null;
  /** SHA-256 of the audio that came in, of a tombstone too while it keeps its key. */
  readonly sha256: string | null;
}

function readKept(row: readonly Cell[]): Kept {
  const [fingerprint, leftover, moving] = row.slice(RECORDING_COLUMNS.length);
  const sha256 = row[RECORDING_COLUMNS.indexOf('sha256')];
  return {
    recording: readRecording(row),
    fingerprint: fingerprint == null ? null : String(fingerprint),
    sha256: sha256 == null ? null : String(sha256),
    leftover: readCopies(leftover),
    move: readCopies(moving)[0] ?? null,
  };
}

type Writes = Omit<RecordingStore, 'page' | 'list' | 'firstEnd'>;

/** What reads and writes single recordings. */
export function createRecordingWrites(
  engine: Engine,
  statements: Statements,
  counts: DayCounts,
  commit: Commit,
  addEvents: AddEvents,
  bury: Bury,
): Writes {
  const kept = [...RECORDING_COLUMNS, 'fingerprint', 'leftover', 'moving'] as const;
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
  const setMediaId = update('set_media_id', ['media_id']);
  const store = update('store', ['state', 'media_type', 'bytes', 'sha256', 'seconds', 'ended_at']);
  const set = update('set', ['legal_hold', 'keep_until', 'revocations']);
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

  async function findByKey(reader: Reader, cc: number, idempotency: Idempotency): Promise<Kept | null> {
    const [row] = await reader.read(byKey, { cc, key: idempotency.key });
    if (row === undefined) return null;
    const kept = readKept(row);
    if (kept.fingerprint !== idempotency.fingerprint) {
      throw new Failure('conflict', 'that idempotency key was used for another recording');
    }
    return kept;
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
      mediaId: made.id,
      media: null,
      state: 'pending',
      legalHold,
      revocations: 0,
      createdAt: made.now,
    };
    const { leadId, callId, direction, remoteNumber, startedAt, endedAt, seconds, keepUntil } = said;
    const about = [number, made.id, made.id, userNumber, leadId, callId, direction, remoteNumber];
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

    async findByKey(contactCenter, idempotency) {
      return (await findByKey(engine, contactCenter.id, idempotency))?.recording ?? null;
    },

    reserve({ id: cc }, said, made, idempotency) {
      return commit(cc, async (transaction) => {
        if (idempotency !== undefined) {
          const known = await findByKey(transaction, cc, idempotency);
          if (known !== null) {
            const { recording, sha256 } = known;
            if (recording.state !== 'pending') return { recording, isNew: false, superseded: null, sha256 };
            const { number, mediaId: superseded } = recording;
            await transaction.run(setMediaId, { cc, number, media_id: made.id });
            return { recording: { ...recording, mediaId: made.id }, isNew: false, superseded, sha256 };
          }
        }
        const { key, fingerprint } = idempotency ?? { key: null, fingerprint: null };
        const recording = await insert(transaction, cc, said, made, key, fingerprint);
        return { recording, isNew: true, superseded: null, sha256: null };
      });
    },

    complete({ id: cc }, { number, mediaId }, facts, event) {
      return commit(cc, async (transaction) => {
        const found = await find(transaction, cc, number);
        if (found?.recording.mediaId !== mediaId || found.recording.state !== 'pending') {
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

    discard({ id: cc }, { number, mediaId }, event, isOwnHold = false) {
      return commit(cc, async (transaction) => {
        const found = await find(transaction, cc, number);
        if (found?.recording.mediaId !== mediaId || found.recording.state !== 'pending') return 'theirs';
        const { userNumber, startedAt, legalHold } = found.recording;
        if (legalHold && !isOwnHold) return 'held';
        await transaction.run(drop, { cc, number });
        if (userNumber !== null) await counts.add(transaction, cc, { userNumber, startedAt }, -1);
        await transaction.run(touch, { cc, by: 0 });
        await addEvents(transaction, cc, [event]);
        return 'dropped';
      });
    },

    change({ id: cc }, number, wanted, eventOf) {
      return commit(cc, async (transaction) => {
        const { recording } = await need(transaction, cc, number);
        const { legalHold, keepUntil, revocations } = recording;
        if (recording.state === 'purged') throw new Failure('conflict', 'the recording was let go');
        const after = {
          legalHold: wanted.legalHold ?? legalHold,
          keepUntil: wanted.keepUntil === undefined ? keepUntil : wanted.keepUntil,
          revocations: revocations + (wanted.revoke === true ? 1 : 0),
        };
        const isSo = after.legalHold === legalHold && after.keepUntil === keepUntil;
        if (isSo && after.revocations === revocations) return recording;
        const values: Values = {
          legal_hold: after.legalHold ? 1 : 0,
          keep_until: after.keepUntil,
          revocations: after.revocations,
        };
        return change(transaction, cc, number, async () => {
          await transaction.run(set, { cc, number, ...values });
          await addEvents(transaction, cc, [eventOf(recording)]);
        });
      });
    },

    purge({ id: cc }, number, event) {
      return commit(cc, async (transaction) => {
        const found = await need(transaction, cc, number);
        const { recording } = found;
        if (recording.state === 'purged') return recording;
        if (recording.legalHold) {
          throw new Failure('conflict', 'the recording is under legal hold; end that first');
        }
        return change(transaction, cc, number, () =>
          bury(transaction, cc, recording, copiesOf(found), event),
        );
      });
    },
  };
}

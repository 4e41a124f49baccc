import { sql } from 'kysely';
import type { AuditEvent } from '../../access/audit.ts';
import type { Copy } from '../../recordings/letting.ts';
import type { Recording } from '../../recordings/recording.ts';
import { KEY_LIFE } from '../../recordings/retention.ts';
import type { AddEvents } from '../audit.ts';
import type { Transaction } from '../engine.ts';
import { cell, int, type Statements } from '../statements.ts';
import type { DayCounts } from './day-counts.ts';
import { writeCopies } from './row.ts';

/**
 * What a tombstone does not keep: whatever tells of a person or a call, and what no longer bears on anything. What
 * an idempotency key was used for it keeps for a while, as hashes.
 */
const NOTHING_OF = [
  'user_number',
  'lead_id',
  'call_id',
  'direction',
  'remote_number',
  'ended_at',
  'seconds',
  'media_type',
  'bytes',
  'keep_until',
  'moving',
  'restored_at',
] as const;

/** Makes a recording a tombstone, with this audio left over. */
export type Bury = (
  transaction: Transaction,
  cc: number,
  recording: Recording,
  leftover: readonly Copy[],
  event: AuditEvent,
) => Promise<void>;

export function createBury(statements: Statements, counts: DayCounts, addEvents: AddEvents): Bury {
  const bury = statements.get('recordings.bury', '', (db) =>
    db
      .updateTable('recordings')
      .set({
        ...Object.fromEntries(NOTHING_OF.map((column) => [column, null])),
        sha256: sql`case when idempotency_key is null then null else sha256 end`,
        key_until: sql`case when idempotency_key is null then null else ${int('keyUntil')} end`,
        // Next to somebody's list of calls, its start would tell whose it was.
        started_at: sql.lit(0),
        state: 'purged',
        leftover: cell<string | null>('leftover'),
      })
      .where('contact_center_id', '=', int('cc'))
      .where('number', '=', int('number')),
  );
  return async (transaction, cc, { number, userNumber, startedAt }, leftover, event) => {
    await transaction.run(bury, {
      cc,
      number,
      leftover: writeCopies(leftover),
      keyUntil: event.at + KEY_LIFE,
    });
    if (userNumber !== null) await counts.add(transaction, cc, { userNumber, startedAt }, -1);
    await addEvents(transaction, cc, [event]);
  };
}

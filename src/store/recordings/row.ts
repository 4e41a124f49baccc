import type { Tier } from '../../recordings/media.ts';
import { TIERS } from '../../recordings/media.ts';
import type { Direction, MediaType, Recording, RecordingState } from '../../recordings/recording.ts';
import type { Cell } from '../engine.ts';

/** The columns that make a recording, in the order in which `readRecording` takes them. */
export const RECORDING_COLUMNS = [
  'number',
  'id',
  'user_number',
  'lead_id',
  'call_id',
  'direction',
  'remote_number',
  'started_at',
  'ended_at',
  'seconds',
  'media_type',
  'bytes',
  'sha256',
  'state',
  'legal_hold',
  'keep_until',
  'revocations',
  'created_at',
] as const;

const numberOrNull = (cell: Cell | undefined): number | null => (cell == null ? null : Number(cell));
const textOrNull = (cell: Cell | undefined): string | null => (cell == null ? null : String(cell));

/** A recording from its row, whose cells may go on behind those of a recording. */
export function readRecording(row: readonly Cell[]): Recording {
  const [number, id, user, lead, call, direction, remote, started, ended, seconds, ...rest] = row;
  const [mediaType, bytes, sha256, state, legalHold, keepUntil, revocations, createdAt] = rest;
  return {
    number: Number(number),
    id: String(id),
    userNumber: numberOrNull(user),
    leadId: numberOrNull(lead),
    callId: textOrNull(call),
    direction: textOrNull(direction) as Direction | null,
    remoteNumber: textOrNull(remote),
    startedAt: Number(started),
    endedAt: numberOrNull(ended),
    seconds: numberOrNull(seconds),
    media:
      mediaType == null
        ? null
        : { mediaType: String(mediaType) as MediaType, bytes: Number(bytes), sha256: String(sha256) },
    state: String(state) as RecordingState,
    legalHold: legalHold === 1,
    keepUntil: numberOrNull(keepUntil),
    revocations: Number(revocations),
    createdAt: Number(createdAt),
  };
}

/** The tiers that a leftover names. */
export function readTiers(cell: Cell | undefined): Tier[] {
  const names = String(cell ?? '').split(' ');
  return TIERS.filter((tier) => names.includes(tier));
}

/** Tiers as a leftover; null for none. */
export function writeTiers(tiers: readonly Tier[]): string | null {
  return TIERS.filter((tier) => tiers.includes(tier)).join(' ') || null;
}

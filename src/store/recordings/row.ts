import { type Copy, copyOf, type Whereabouts } from '../../recordings/letting.ts';
import { TIERS } from '../../recordings/media.ts';
import type {
  Direction,
  ListedRecording,
  MediaType,
  Recording,
  RecordingState,
} from '../../recordings/recording.ts';
import type { Cell } from '../engine.ts';

/** The columns that make a recording, in the order in which `readRecording` takes them. */
export const RECORDING_COLUMNS = [
  'number',
  'id',
  'media_id',
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
  const [number, id, mediaId, user, lead, call, direction, remote, started, ended, seconds, ...rest] = row;
  const [mediaType, bytes, sha256, state, legalHold, keepUntil, revocations, createdAt] = rest;
  return {
    number: Number(number),
    id: String(id),
    mediaId: String(mediaId),
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

/** The columns that lists need, all of them in the index of a user's recordings. */
const LISTED_COLUMNS = [
  'number',
  'user_number',
  'lead_id',
  'started_at',
  'ended_at',
  'seconds',
  'state',
  'legal_hold',
  'keep_until',
  'revocations',
] as const;

function readListed(row: readonly Cell[]): ListedRecording {
  const [number, user, lead, started, ended, seconds, state, legalHold, keepUntil, revocations] = row;
  return {
    number: Number(number),
    userNumber: numberOrNull(user),
    leadId: numberOrNull(lead),
    startedAt: Number(started),
    endedAt: numberOrNull(ended),
    seconds: numberOrNull(seconds),
    state: String(state) as RecordingState,
    legalHold: legalHold === 1,
    keepUntil: numberOrNull(keepUntil),
    revocations: Number(revocations),
  };
}

/** How much of a recording is read. */
export interface Shape<R extends ListedRecording> {
  readonly name: 'page' | 'list';
  readonly columns: readonly (typeof RECORDING_COLUMNS)[number][];
  readonly read: (row: readonly Cell[]) => R;
}

export const WHOLE: Shape<Recording> = { name: 'page', columns: RECORDING_COLUMNS, read: readRecording };
export const LISTED: Shape<ListedRecording> = { name: 'list', columns: LISTED_COLUMNS, read: readListed };

/** Audio in tiers, from a cell. */
export function readCopies(cell: Cell | undefined): Copy[] {
  return String(cell ?? '')
    .split(' ')
    .flatMap((text) => {
      const [name, id] = text.split(':');
      const tier = TIERS.find((each) => each === name);
      return tier === undefined || id === undefined ? [] : [{ tier, id }];
    });
}

/** Audio in tiers as a cell; null for none. */
export function writeCopies(copies: readonly Copy[]): string | null {
  return copies.map(({ tier, id }) => `${tier}:${id}`).join(' ') || null;
}

/** All audio that is left over once a recording has none of its own any more. */
export function copiesOf({ recording, leftover, move }: Whereabouts): readonly Copy[] {
  return [...leftover, copyOf(recording), ...(move === null ? [] : [move])];
}

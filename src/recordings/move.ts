import type { Actor } from '../access/audit.ts';
import type { ContactCenter } from '../access/contact-center.ts';
import { Failure } from '../errors.ts';
import { archiveMissing, NOTHING_REMOVED, type Removed, removeLeftovers } from './leftovers.ts';
import { type Copy, copyOf, type LettingDeps, type Pace } from './letting.ts';
import type { Tier } from './media.ts';
import type { Recording } from './recording.ts';

/**
 * `moved`; `changed` where the recording was moved, purged or called off by somebody else meanwhile; `lost`
 * where its audio is not there; `damaged` where what is there has another checksum.
 */
export type MoveOutcome = 'moved' | 'changed' | 'lost' | 'damaged';

export interface Moved {
  readonly outcome: MoveOutcome;
  readonly leftover: Removed;
}

/** A move that was begun longer ago than this is taken for given up, in milliseconds. */
export const MOVE_LIFE = 6 * 3_600_000;

/** Makes the copy, and compares its checksum. */
async function make(
  { places }: LettingDeps,
  contactCenter: ContactCenter,
  recording: Recording,
  copy: Copy,
): Promise<'made' | 'lost' | 'damaged'> {
  const own = copyOf(recording);
  const [source, target] = [places[own.tier], places[copy.tier]];
  if (source === null || target === null) throw archiveMissing();
  const content = await source.open({ contactCenterId: contactCenter.id, id: own.id });
  if (content === null) return 'lost';
  const { sha256 } = await target.put({ contactCenterId: contactCenter.id, id: copy.id }, content);
  return sha256 === recording.media?.sha256 ? 'made' : 'damaged';
}

async function turnTo(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  recording: Recording,
  copy: Copy,
  actor: Actor,
): Promise<MoveOutcome> {
  const made = await make(deps, contactCenter, recording, copy);
  if (made !== 'made') return made;
  const at = deps.now();
  const isMoved = await deps.store.finishMove(contactCenter, recording.number, copy, at, {
    at,
    actor,
    action: copy.tier === 'archive' ? 'recording.archived' : 'recording.restored',
    subject: String(recording.number),
    outcome: 'done',
    details: { bytes: recording.media?.bytes ?? null },
  });
  return isMoved ? 'moved' : 'changed';
}

/**
 * Moves a recording's audio to the other tier: a copy is made and its checksum compared, the row turns to
 * it, and then the former audio goes. Broken off at any point, the row still names audio that is there.
 * @throws Failure unavailable as the places
 */
export async function moveRecording(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  recording: Recording,
  to: Tier,
  actor: Actor,
): Promise<Moved> {
  const { number } = recording;
  const copy: Copy = { tier: to, id: deps.newId() };
  if (!(await deps.store.beginMove(contactCenter, number, copy))) {
    return { outcome: 'changed', leftover: NOTHING_REMOVED };
  }
  const drop = async (dropped: Copy) => removeLeftovers(deps, contactCenter, [{ number, copies: [dropped] }]);
  let outcome: MoveOutcome;
  try {
    outcome = await turnTo(deps, contactCenter, recording, copy, actor);
  } catch (error) {
    await deps.store.callOffMove(contactCenter, number, copy);
    await drop(copy);
    throw error;
  }
  if (outcome === 'moved') return { outcome, leftover: await drop(copyOf(recording)) };
  await deps.store.callOffMove(contactCenter, number, copy);
  return { outcome, leftover: await drop(copy) };
}

/** Calls off moves that were begun so long ago that whoever began them is gone; their copies are left over. */
export async function callOffMoves(
  { store, now }: LettingDeps,
  contactCenter: ContactCenter,
  life: number,
  pace: Pace,
): Promise<number> {
  let calledOff = 0;
  for (let after = 0; !pace.signal.aborted; ) {
    const page = await store.moving(contactCenter, after, pace.batch);
    const last = page.at(-1);
    if (last === undefined) break;
    for (const { recording, move } of page) {
      if (move === null || begunAt(move) > now() - life) continue;
      if (await store.callOffMove(contactCenter, recording.number, move)) calledOff += 1;
    }
    after = last.recording.number;
    await pace.pause();
  }
  return calledOff;
}

/** When a copy was begun, by its UUIDv7 (RFC 9562 section 5.7), in milliseconds since 1970 UTC. */
export function begunAt({ id }: Copy): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** Brings an archived recording's audio back. @throws Failure not_found, conflict, precondition */
export async function restore(
  deps: LettingDeps,
  contactCenter: ContactCenter,
  recording: Recording,
  actor: Actor,
): Promise<Removed> {
  if (recording.state !== 'archived') {
    throw new Failure('conflict', `the recording is ${recording.state}, not archived`);
  }
  const { outcome, leftover } = await moveRecording(deps, contactCenter, recording, 'main', actor);
  switch (outcome) {
    case 'moved':
      return leftover;
    case 'changed':
      throw new Failure('conflict', 'the recording is being moved or let go by somebody else; try again');
    case 'lost':
      throw new Failure('not_found', 'its audio is not in the archive; see rollcall recordings sweep');
    case 'damaged':
      throw new Failure('precondition', 'its audio in the archive is damaged, and was left there');
  }
}

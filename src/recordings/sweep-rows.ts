import { createHash } from 'node:crypto';
import { archiveMissing, removeLeftovers } from './leftovers.ts';
import { copyOf } from './letting.ts';
import type { MediaKey, MediaPlace } from './media.ts';
import type { Recording } from './recording.ts';
import type { Sweeping } from './sweep.ts';

/** A recording whose audio is not where its row says, or not what came in. */
export interface MissingAudio {
  readonly recording: Recording;
  readonly isDamaged: boolean;
}

/** Where nobody says how many lost recordings may be given up: so many, and less than such a share of all. */
const MOST_LOST = 100;
const MOST_SHARE = 0.9;

/** Recordings whose audio is missing, by what it was. */
export class Missing {
  /** How many recordings were looked at, those with their audio too. */
  looked = 0;
  readonly #byAudio = new Map<string, MissingAudio[]>();
  readonly #bytes = new Set<number>();

  add(each: MissingAudio): void {
    const { media } = each.recording;
    if (media === null) return;
    this.#bytes.add(media.bytes);
    const key = `${media.bytes} ${media.sha256}`;
    this.#byAudio.set(key, [...(this.#byAudio.get(key) ?? []), each]);
  }

  /** Whether audio of that many bytes may be what is missing. */
  hasBytes(bytes: number): boolean {
    return this.#bytes.has(bytes);
  }

  /** A recording that misses just this; it misses it no more. */
  take(bytes: number, sha256: string | null): MissingAudio | null {
    return this.#byAudio.get(`${bytes} ${sha256}`)?.pop() ?? null;
  }

  all(): MissingAudio[] {
    return [...this.#byAudio.values()].flat();
  }

  get lost(): number {
    return this.all().filter(({ isDamaged }) => !isDamaged).length;
  }

  /** Whether so much is lost that the place is likely to be the wrong one; `mostLost` is what may be. */
  isAstray(mostLost: number | null): boolean {
    const { lost } = this;
    if (mostLost !== null) return lost > mostLost;
    return lost > MOST_LOST || (lost > 0 && lost >= this.looked * MOST_SHARE);
  }
}

/** Recordings whose audio is looked for at once. */
const AT_ONCE = 16;

/** Looks whether each recording has its audio. @throws Failure precondition where its tier is not there */
export async function findMissing(sweeping: Sweeping): Promise<Missing> {
  const { deps, contactCenter, pace } = sweeping;
  const missing = new Missing();
  let done = 0;
  for (let after = 0; !pace.signal.aborted; ) {
    const page = await deps.store.byNumbers(contactCenter, after, pace.batch);
    const last = page.at(-1);
    if (last === undefined) break;
    const due = page
      .map(({ recording }) => recording)
      .filter(({ state }) => state === 'stored' || state === 'archived');
    for (let at = 0; at < due.length; at += AT_ONCE) {
      const part = due.slice(at, at + AT_ONCE);
      for (const each of await Promise.all(part.map((recording) => lookFor(sweeping, recording)))) {
        if (each !== null) missing.add(each);
      }
    }
    missing.looked += due.length;
    done += page.length;
    pace.onProgress(done);
    after = last.recording.number;
    await pace.pause();
  }
  return missing;
}

async function lookFor(sweeping: Sweeping, recording: Recording): Promise<MissingAudio | null> {
  const { deps, contactCenter } = sweeping;
  const state = await stateOf(sweeping, recording);
  if (state === 'whole') return null;
  // It may have moved or gone since its row was read.
  const [now] = await deps.store.byNumbers(contactCenter, recording.number - 1, 1);
  if (now?.recording.mediaId !== recording.mediaId || now.recording.state !== recording.state) return null;
  return { recording, isDamaged: state === 'damaged' };
}

async function stateOf(
  { deps, contactCenter, options }: Sweeping,
  recording: Recording,
): Promise<'whole' | 'damaged' | 'missing'> {
  const { tier, id } = copyOf(recording);
  const place = deps.places[tier];
  if (place === null) throw archiveMissing();
  const key = { contactCenterId: contactCenter.id, id };
  const found = await place.find(key);
  if (found === null) return 'missing';
  if (found.bytes !== recording.media?.bytes) return 'damaged';
  if (!options.checksums) return 'whole';
  const sha256 = await checksumOf(place, key);
  if (sha256 === null) return 'missing';
  return sha256 === recording.media.sha256 ? 'whole' : 'damaged';
}

/** SHA-256 of audio, in hex; null where there is none. */
export async function checksumOf(place: MediaPlace, key: MediaKey): Promise<string | null> {
  const content = await place.open(key);
  if (content === null) return null;
  const hash = createHash('sha256');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

/** Makes a recording whose audio is nowhere a tombstone, where nothing speaks against it. */
export async function tellMissing(
  { deps, contactCenter, options, pace, tell }: Sweeping,
  { recording, isDamaged }: MissingAudio,
  isAstray: boolean,
): Promise<void> {
  const { number, legalHold } = recording;
  const about = { kind: isDamaged ? 'damaged' : 'lost', number, ...copyOf(recording) } as const;
  if (isDamaged) tell({ ...about, reason: 'what is there is not what came in; restore it from a backup' });
  else if (legalHold) tell({ ...about, reason: 'it is under legal hold; restore its audio from a backup' });
  else if (isAstray) tell({ ...about, reason: 'so many are lost: is the media folder the right one?' });
  else if (!options.mend) tell(about);
  else {
    const isMended = await deps.store.bury(contactCenter, recording, {
      at: deps.now(),
      actor: pace.actor,
      action: 'recording.lost',
      subject: String(number),
      outcome: 'failed',
      details: { tier: about.tier, bytes: recording.media?.bytes ?? null },
    });
    if (isMended) {
      const copies = [copyOf(recording)];
      await removeLeftovers(deps, contactCenter, [{ number, copies }]);
    }
    tell({ ...about, isMended });
  }
}

import type { MediaKey } from '../recordings/media.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The folder, object prefix or shard that holds a key's audio, and its name there. A UUIDv7 begins with the
 * time (RFC 9562 section 5.7), so that its first characters would put all of a day into one folder: the last
 * ones are random. @throws Error for what are no ids of ours; nothing else becomes a path
 */
export function placeOf({ contactCenterId, id }: MediaKey): {
  readonly shelf: string;
  readonly name: string;
} {
  if (!Number.isSafeInteger(contactCenterId) || contactCenterId < 1 || !UUID.test(id)) {
    throw new Error('audio is named by ids alone');
  }
  return { shelf: `${contactCenterId}/${id.slice(-2)}`, name: id };
}

/** Reads a name that `placeOf` gave; null for one that it would not have given. */
export function readName(contactCenterId: number, shelf: string, name: string): MediaKey | null {
  return UUID.test(name) && shelf === name.slice(-2) ? { contactCenterId, id: name } : null;
}

/** Reads the contact center that the first part of a shelf is of; null for what `placeOf` would not have given. */
export function readContactCenter(name: string): number | null {
  const id = /^[1-9]\d*$/.test(name) ? Number(name) : Number.NaN;
  return Number.isSafeInteger(id) ? id : null;
}

import { createHash } from 'node:crypto';

/** The longest text that is a key as it is: 2400 bytes of UTF-8 at most, of the 2700 that PostgreSQL's indexes take. */
const LONGEST = 800;

/** A text as it is looked up: itself, or its SHA-256 where it is too long for an index. */
function shorten(text: string): string {
  return text.length <= LONGEST ? text : `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/**
 * The form in which texts are compared: NFC, trimmed, lower case, shortened. Matching is exact otherwise; no
 * character is a wildcard.
 */
export function fold(text: string): string {
  // The common case costs one scan instead of two copies through the Unicode tables.
  if (text.length <= LONGEST && /^[!-@[-`{-~0-9a-z]*$/.test(text)) return text;
  const folded = text.trim().toLowerCase();
  // Plain letters are in that form as they are.
  return shorten(/^[ -~]*$/.test(folded) ? folded : folded.normalize('NFC'));
}

/**
 * Whether a text can be stored at all: no NUL (PostgreSQL refuses it) and no lone surrogate (it has no
 * UTF-8). Whatever fails this matches nobody and cannot be imported.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

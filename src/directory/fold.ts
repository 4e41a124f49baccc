/**
 * The form in which texts are compared: NFC, trimmed, lower case. Matching is exact otherwise; no
 * character is a wildcard.
 */
export function fold(text: string): string {
  // The common case costs one scan instead of two copies through the Unicode tables.
  if (/^[!-@[-`{-~0-9a-z]*$/.test(text)) return text;
  const folded = text.trim().toLowerCase();
  // Plain letters are in that form as they are.
  return /^[ -~]*$/.test(folded) ? folded : folded.normalize('NFC');
}

/**
 * Whether a text can be stored at all: no NUL (PostgreSQL refuses it) and no lone surrogate (it has no
 * UTF-8). Whatever fails this matches nobody and cannot be imported.
 */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

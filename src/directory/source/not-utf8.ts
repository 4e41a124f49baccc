import type { SourceRow } from '../import.ts';

/** A row that no text can hold as it is: its bytes are kept, and not those around them. */
export function notUtf8(
  line: number,
  bytes: Buffer,
  problem = 'is not UTF-8; save the file as UTF-8',
): SourceRow {
  return { line, text: bytes.toString('utf8'), problem, bytes: Buffer.from(bytes) };
}

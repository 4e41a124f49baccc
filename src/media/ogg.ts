import type { RangedFile } from './ranges.ts';

/** The longest page there is: header, 255 lacing values, 255 segments of 255 bytes (RFC 3533 section 6). */
const LONGEST_PAGE = 27 + 255 + 255 * 255;

/** How many pages from the beginning hold all headers, and then some. */
const HEAD_PAGES = 8;

const CAPTURE = Buffer.from('OggS');

/** The length of the page at an offset; null where there is no whole page. */
function pageAt(bytes: Buffer, at: number): number | null {
  if (!bytes.subarray(at, at + 4).equals(CAPTURE) || at + 27 > bytes.length) return null;
  const segments = bytes.readUInt8(at + 26);
  const table = bytes.subarray(at + 27, at + 27 + segments);
  const length = table.reduce((sum, lacing) => sum + lacing, 27 + segments);
  return table.length === segments && at + length <= bytes.length ? length : null;
}

/**
 * A short file made of an Ogg file's first pages and its last one, which says how long it is (RFC 3533
 * section 6: the granule position). Parsers read every page between them otherwise.
 * Null where there are no pages.
 */
export async function shortenOgg(file: RangedFile): Promise<Uint8Array | null> {
  const head = Buffer.from(await file.read(0, 4 * LONGEST_PAGE));
  let end = 0;
  for (let pages = 0; pages < HEAD_PAGES; pages++) {
    const length = pageAt(head, end);
    if (length === null) break;
    end += length;
  }
  if (end === 0) return null;
  const tailAt = Math.max(end, file.size - 2 * LONGEST_PAGE);
  const tail = Buffer.from(await file.read(tailAt, file.size - tailAt));
  for (let at = tail.lastIndexOf(CAPTURE); at >= 0; at = at === 0 ? -1 : tail.lastIndexOf(CAPTURE, at - 1)) {
    const length = pageAt(tail, at);
    if (length !== null) return Buffer.concat([head.subarray(0, end), tail.subarray(at, at + length)]);
  }
  return head.subarray(0, end);
}

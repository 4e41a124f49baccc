import type { ByteRange } from '../recordings/media.ts';

/** What of a representation a request gets: all of it, one range, or nothing that could be given. */
export type Selection =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly range: ByteRange }
  | { readonly kind: 'unsatisfiable' };

const WHOLE: Selection = { kind: 'whole' };
const UNSATISFIABLE: Selection = { kind: 'unsatisfiable' };

/** One range of bytes, with the empty list items that RFC 9110 section 5.6.1.2 lets pass. */
const SINGLE = /^bytes=[\t ,]*(?:(\d+)-(\d*)|-(\d+))[\t ,]*$/i;

/**
 * Which bytes a Range header asks for (RFC 9110 section 14.2). What is malformed, in another unit, or
 * asks for several ranges is answered whole, as the RFC allows.
 * @param size of the representation, in bytes
 */
export function selectRange(header: string | undefined, size: number): Selection {
  const match = header === undefined ? null : SINGLE.exec(header);
  if (match === null) return WHOLE;
  const [, first, last = '', suffix] = match;
  if (suffix !== undefined) {
    const length = clip(suffix, size);
    if (length === 0) return isZero(suffix) ? UNSATISFIABLE : WHOLE;
    return { kind: 'part', range: { first: size - length, last: size - 1 } };
  }
  // Compared as they are written: a number may have more digits than a double holds.
  if (last !== '' && BigInt(last) < BigInt(first ?? '')) return WHOLE;
  const from = clip(first ?? '', size);
  if (from >= size) return UNSATISFIABLE;
  return { kind: 'part', range: { first: from, last: last === '' ? size - 1 : clip(last, size - 1) } };
}

const isZero = (digits: string) => /^0+$/.test(digits);

/** A number of any length, at most `most`. */
function clip(digits: string, most: number): number {
  return Math.min(Number(digits), most);
}

/** The value of Content-Range for a part (RFC 9110 section 14.4), or for none. */
export function contentRange(range: ByteRange | null, size: number): string {
  return `bytes ${range === null ? '*' : `${range.first}-${range.last}`}/${size}`;
}

/**
 * Whether the range may be sent, by an If-Range header: only where it names this very entity tag (RFC 9110
 * section 13.1.5). A weak tag never does, and neither does a date, as no modification date is told.
 */
export function allowsRange(ifRange: string | undefined, etag: string): boolean {
  return ifRange === undefined || ifRange.trim() === etag;
}

/** What a conditional request comes to: the answer itself, 304, or 412. */
export type Verdict = 'proceed' | 'not_modified' | 'failed';

/** A list of entity tags (RFC 9110 section 8.8.3), with the empty items that section 5.6.1.2 lets pass. */
const LIST = /^[\t ,]*(?:(?:W\/)?"[!#-~\x80-\xff]*"[\t ]*(?:,[\t ,]*|$))+$/;
const TAG = /(W\/)?("[^"]*")/g;

/** Whether a header names a tag: `*` names every one. A header that cannot be read names none. */
function names(header: string, etag: string, isStrong: boolean): boolean {
  if (header.trim() === '*') return true;
  if (!LIST.test(header)) return false;
  for (const [, weak, tag] of header.matchAll(TAG)) {
    if (tag === etag && !(isStrong && weak !== undefined)) return true;
  }
  return false;
}

/**
 * Weighs If-Match and If-None-Match of a GET or HEAD, in the order of RFC 9110 section 13.2.2. Dates
 * are not weighed, as no modification date is told.
 * @param etag a strong entity tag, with its quotes
 */
export function weighPreconditions(
  headers: { readonly 'if-match'?: string | undefined; readonly 'if-none-match'?: string | undefined },
  etag: string,
): Verdict {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined && !names(ifMatch, etag, true)) return 'failed';
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag, false)) return 'not_modified';
  return 'proceed';
}

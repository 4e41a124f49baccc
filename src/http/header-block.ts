import type { IncomingMessage } from 'node:http';
import { HttpFailure } from './wire-failure.ts';

/** Bytes of a request's header block that are taken. */
const MAX_HEADERS = 16_384;

/** What is wrong with a request's header block, whatever it asks for; null where nothing is. */
export function refuseHeaders({ rawHeaders, httpVersion }: IncomingMessage): HttpFailure | null {
  if (headerBytes(rawHeaders) > MAX_HEADERS) return new HttpFailure('headers_too_large');
  // RFC 9112 section 3.2: one, and where it is missing only in HTTP/1.0.
  const hosts = countHosts(rawHeaders);
  return hosts > 1 || (httpVersion === '1.1' && hosts === 0) ? new HttpFailure('malformed') : null;
}

function countHosts(rawHeaders: readonly string[]): number {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') hosts += 1;
  }
  return hosts;
}

/** The size of a header block as it was sent: name, colon, space, value and line end of each. */
function headerBytes(rawHeaders: readonly string[]): number {
  let bytes = 0;
  for (let at = 0; at < rawHeaders.length; at += 1) bytes += (rawHeaders[at] as string).length + 2;
  return bytes;
}

import type { IncomingMessage } from 'node:http';

/** How long a client may take to send a body, or to send nothing of a long one, in milliseconds. */
const BODY_TIME = 60_000;

/**
 * Tells once of a request whose body takes too long: all of it a minute, or an upload a minute without a byte.
 * Node has one limit for all requests, which no upload over a slow line would keep.
 */
export function watchBody(
  request: Pick<IncomingMessage, 'headers' | 'once' | 'complete' | 'socket'>,
  isUpload: boolean,
  onSlow: () => void,
): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
  if (encoding === undefined && Number(length) === 0) return;
  let seen = request.socket.bytesRead;
  const timer = setInterval(() => {
    if (request.complete) return clearInterval(timer);
    const { bytesRead } = request.socket;
    if (isUpload && bytesRead !== seen) {
      seen = bytesRead;
      return;
    }
    clearInterval(timer);
    onSlow();
  }, BODY_TIME);
  timer.unref();
  request.once('end', () => clearInterval(timer));
  request.once('close', () => clearInterval(timer));
}

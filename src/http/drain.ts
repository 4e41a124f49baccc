import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often silent connections are looked for while requests end, in milliseconds. */
const GLANCE = 50;
/** What is left to tell, to keep and to close once every connection was cut, in milliseconds. */
const LAST = 5000;

/**
 * Ends a server: `close` is to stop listening and to resolve once all connections are gone.
 * @param patience how long requests under way may take, in milliseconds; those that take longer are cut off
 * @returns how many requests were cut off
 */
export type Drain = (close: () => Promise<void>, patience: number) => Promise<number>;

/** Counts the requests under way from now on, so that the server can be ended without breaking them off. */
export function prepareDrain(server: Server): Drain {
  let underWay = 0;
  let atRest = () => {};
  server.on('request', (_, response) => {
    underWay += 1;
    response.once('close', () => {
      underWay -= 1;
      if (underWay === 0) atRest();
    });
  });

  return async (close, patience) => {
    // Browsers and balancers open connections that ask nothing, which Node waits for as for a request.
    const closeSilent = () => {
      if (underWay === 0) server.closeAllConnections();
    };
    const glances = setInterval(closeSilent, GLANCE);
    const giveUp = new AbortController();
    const closed = close().then(() => 'closed' as const);
    const late = sleep(patience, 'late' as const, { signal: giveUp.signal });
    // Called off once the rest has closed in time.
    late.catch(() => {});
    try {
      if ((await Promise.race([closed, late])) === 'closed') return 0;
      const cut = underWay;
      // A response tells of its end after its connection, and so after the server.
      const resting = new Promise<void>((resolve) => {
        atRest = resolve;
      });
      server.closeAllConnections();
      await Promise.race([
        Promise.all([closed, cut > 0 ? resting : null]),
        sleep(LAST, undefined, { signal: giveUp.signal }),
      ]);
      return cut;
    } finally {
      clearInterval(glances);
      giveUp.abort();
    }
  };
}

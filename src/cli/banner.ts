import { WIRES } from '../app.ts';
import type { ServeConfig } from '../config/serve.ts';
import type { Sample, SampleFacts } from '../http/dialect.ts';
import { describeDatabase } from '../store/open.ts';
import { VERSION } from '../version.ts';
import { print } from './output.ts';

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** A sample as a command for a shell. */
export function toCurl(sample: Sample, address: string, token: string, isInsecure: boolean): string {
  const fill = (text: string) => text.replaceAll('TOKEN', token);
  return [
    'curl -sS',
    ...(isInsecure ? ['-k'] : []),
    ...(sample.output === undefined ? [] : [`-o ${sample.output}`]),
    ...Object.entries(sample.headers ?? {}).map(([name, value]) => `-H ${quote(`${name}: ${fill(value)}`)}`),
    ...(sample.body === undefined ? [] : [`-d ${quote(fill(sample.body))}`]),
    quote(address + fill(sample.path)),
  ].join(' ');
}

/** How many requests are let in, and whether processes count them together. */
function describeLimit({ rateLimit, redis, workers }: ServeConfig): string {
  if (rateLimit === null) return 'none';
  const limit = `${rateLimit} requests per second and token`;
  if (redis !== null) return `${limit}, shared through Redis at ${redis.shown}`;
  return `${limit}, in each ${workers > 1 ? `of the ${workers} workers` : 'process'} by itself`;
}

/** Says on stdout where everything is. */
export function writeBanner({
  address,
  config,
  demo,
  json,
}: {
  readonly address: string;
  readonly config: ServeConfig;
  readonly demo: { readonly token: string; readonly facts: SampleFacts } | null;
  readonly json: boolean;
}): void {
  const pages = {
    docs: '/docs',
    openapi: '/openapi.json',
    health: '/healthz',
    ready: '/readyz',
    metrics: '/metrics',
  };
  const urls = Object.fromEntries(Object.entries(pages).map(([name, path]) => [name, address + path]));
  const database = config.databaseUrl === undefined ? null : describeDatabase(config.databaseUrl);
  const samples =
    demo === null
      ? []
      : WIRES.flatMap((dialect) => dialect.samples(demo.facts)).map((sample) => ({
          title: sample.title,
          command: toCurl(sample, address, demo.token, config.tls !== null),
        }));
  print(
    json,
    {
      version: VERSION,
      address,
      ...urls,
      data: config.data,
      database,
      workers: config.workers,
      rateLimit: config.rateLimit,
      redis: config.redis?.shown ?? null,
      demo: demo === null ? null : { contactCenter: demo.facts.contactCenter.name, token: demo.token },
      samples,
    },
    [
      `Rollcall ${VERSION} serves ${address} from ${database ?? config.data}`,
      '',
      `  reference  ${urls.docs}`,
      `  OpenAPI    ${urls.openapi}`,
      `  health     ${urls.health}  ${urls.ready}`,
      `  metrics    ${urls.metrics}`,
      `  limit      ${describeLimit(config)}`,
      ...(demo === null ? [] : ['', `  demo token ${demo.token}`]),
      ...samples.flatMap(({ title, command }) => ['', `# ${title}`, command]),
      '',
    ],
  );
}

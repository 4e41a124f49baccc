import { tmpdir } from 'node:os';
import pg from 'pg';
import pino from 'pino';
import { createApp } from '../src/app.ts';
import { readMediaConfig } from '../src/config/media.ts';
import type { Question, SqlJob } from './bare-sql.ts';
import type { LoadRequest } from './load.ts';

/** Requests of a scenario whose statements are taken down. */
const TAKEN = 1000;

interface Sent {
  readonly sql: number;
  readonly values: readonly unknown[];
  readonly start: number;
  end: number;
}

/** Those that were under way at the same time make a stage; the next one waits for all of them. */
function stagesOf(sent: readonly Sent[]): Question {
  const stages: { sql: number; values: readonly unknown[] }[][] = [];
  let until = Number.NEGATIVE_INFINITY;
  for (const { sql, values, start, end } of [...sent].sort((a, b) => a.start - b.start)) {
    const stage = start < until ? stages.at(-1) : undefined;
    if (stage === undefined) stages.push([{ sql, values }]);
    else stage.push({ sql, values });
    until = stage === undefined ? end : Math.max(until, end);
  }
  return stages;
}

/**
 * What Rollcall sends to PostgreSQL for each of these requests where it has kept nothing of the answer: asked
 * one after the other of a server in this process, whose driver is listened to.
 */
export async function takeDownSql(url: string, requests: readonly LoadRequest[]): Promise<SqlJob> {
  const texts: string[] = [];
  let sent: Sent[] = [];
  const { query } = pg.Client.prototype;
  const listen = function (this: pg.Client, config: unknown, ...rest: unknown[]): unknown {
    const answer = Reflect.apply(query, this, [config, ...rest]);
    // The engine's own statements: prepared, by name, with a promise.
    if (typeof config !== 'object' || config === null || !('name' in config)) return answer;
    const { text, values } = config as unknown as { text: string; values: readonly unknown[] };
    if (!texts.includes(text)) texts.push(text);
    const one: Sent = {
      sql: texts.indexOf(text),
      values,
      start: performance.now(),
      end: Number.POSITIVE_INFINITY,
    };
    sent.push(one);
    const over = () => {
      one.end = performance.now();
    };
    (answer as Promise<unknown>).then(over, over);
    return answer;
  };
  pg.Client.prototype.query = listen as typeof query;
  const data = tmpdir();
  const app = await createApp(
    {
      ...{ data, databaseUrl: url, media: readMediaConfig({ data }), host: '127.0.0.1', port: 0, workers: 1 },
      ...{
        tls: null,
        rateLimit: null,
        redis: null,
        trustProxy: null,
        publicUrl: null,
        mostUpload: 1,
        demo: false,
      },
    },
    pino({ level: 'silent' }),
  );
  try {
    const questions: Question[] = [];
    const step = Math.max(1, Math.floor(requests.length / TAKEN));
    for (let at = 0; at < requests.length && questions.length < TAKEN; at += step) {
      const { method, path, headers = {}, body } = requests[at] as LoadRequest;
      sent = [];
      const asked = { method, url: path, headers, ...(body === undefined ? {} : { payload: body }) };
      const { statusCode } = await app.server.inject(asked);
      if (statusCode !== 200) throw new Error(`a request was answered with ${statusCode}`);
      questions.push(stagesOf(sent));
    }
    if (questions.every((question) => question.length === 0)) throw new Error('no statement was heard');
    return { url, texts, questions };
  } finally {
    pg.Client.prototype.query = query;
    await app.close();
  }
}

/**
 * A node:http server that answers each request with the rows of the statements that Rollcall reads for one,
 * as JSON, through the same driver with the same settings: what PostgreSQL and its driver can do here.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import pg from 'pg';
import { readPostgresUrl, SERVE_LIMITS } from '../src/store/postgres/place.ts';

/** Statements of one request: those of a stage are sent together, as Rollcall sent them. */
export type Question = readonly (readonly { readonly sql: number; readonly values: readonly unknown[] }[])[];

export interface SqlJob {
  readonly url: string;
  readonly texts: readonly string[];
  /** Asked in turn, whatever the request is. */
  readonly questions: readonly Question[];
}

if (import.meta.main) {
  const [, , file] = process.argv;
  if (file === undefined) throw new Error('usage: bare-sql.ts JOB_FILE');
  const { url, texts, questions } = JSON.parse(readFileSync(file, 'utf8')) as SqlJob;
  const pool = new pg.Pool(readPostgresUrl(url).config(SERVE_LIMITS, 'read'));
  let next = 0;
  const ask = async (): Promise<unknown[]> => {
    const question = questions[next % questions.length] ?? [];
    next += 1;
    const answers: unknown[] = [];
    for (const stage of question) {
      const sent = stage.map(({ sql, values }) =>
        pool.query({ text: texts[sql] ?? '', name: `bench_${sql}`, values: [...values], rowMode: 'array' }),
      );
      for (const { rows } of await Promise.all(sent)) answers.push(rows);
    }
    return answers;
  };
  const server = createServer((request, response) => {
    request.resume();
    ask().then(
      (answers) => {
        const body = Buffer.from(JSON.stringify(answers));
        response.writeHead(200, {
          'content-type': 'application/json; charset=utf-8',
          'content-length': body.length,
        });
        response.end(body);
      },
      () => response.writeHead(500).end(),
    );
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
  });
}

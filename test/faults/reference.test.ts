import assert from 'node:assert/strict';
import { request } from 'node:http';
import { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import pino from 'pino';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';

/** What is no fault of ours, and must not fill the log as if it were. */
const REFUSED: readonly (readonly [path: string, status: number, headers?: Record<string, string>])[] = [
  ['/docs/static/../x', 404],
  ['/docs/static/%2e%2e/%2e%2e/package.json', 404],
  ['/docs/static//etc/passwd', 404],
  ['/docs/static/a%00b', 404],
  ['/docs/static/con%5c..%5cx', 404],
  [`/docs/static/${'a'.repeat(3000)}`, 404],
  ['/docs/static/swagger-ui.css', 416, { range: 'bytes=99999999-' }],
  ['/docs/static/swagger-ui.css', 412, { 'if-match': '"x"' }],
  ['/docs/static/swagger-ui.css', 412, { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' }],
];

describe('the reference page', () => {
  let under: AppUnderTest;
  let port: number;
  let log = '';
  before(async () => {
    const kept = new Writable({
      write(chunk, _, done) {
        log += chunk;
        done();
      },
    });
    under = await openAppUnderTest({ log: pino(kept) });
    port = Number(new URL(await under.app.server.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  after(() => under.close());

  /** The path as it is: fetch would go up its `..` by itself. */
  const ask = (path: string, headers: Record<string, string> = {}) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ port, path, headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      })
        .on('error', reject)
        .end();
    });

  for (const [path, status, headers] of REFUSED) {
    const name = `${path.slice(0, 50)} ${Object.keys(headers ?? {}).join()}`;
    it(`refuses ${name.trim()} with ${status}, and tells of no bug`, async () => {
      assert.equal(await ask(path, headers), status);
      assert.equal(await ask('/docs/static/swagger-ui.css'), 200);
      assert.ok(!log.includes('"bug"'));
    });
  }
});

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Check } from 'typebox/schema';
import { DIALECTS } from '../../src/app.ts';
import type { WireFailureKind } from '../../src/http/wire-failure.ts';
import { type AppUnderTest, openAppUnderTest } from '../app-under-test.ts';
import { type GoldenCase, readCases } from './cases.ts';

interface Operation {
  readonly tags: readonly string[];
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

/** What no request shows: the store or the program has to fail for it. */
const UNSEEN: readonly WireFailureKind[] = ['internal', 'unavailable'];

const cases = readCases().filter(({ dialect }) => dialect !== 'problem');
const pathOf = ({ request }: GoldenCase) => request.path.replace(/\?.*$/s, '');

describe('what OpenAPI says of answers', () => {
  let opened: AppUnderTest;
  let paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  before(async () => {
    opened = await openAppUnderTest();
    await opened.app.server.ready();
    paths = JSON.parse(JSON.stringify(opened.app.server.swagger())).paths;
  });
  after(() => opened.close());

  /** What is said of a case's operation. A method that a path does not know is told of by each that it knows. */
  function find(golden: GoldenCase): Operation | undefined {
    const item = paths[pathOf(golden)] ?? {};
    // A contact center may have one shape with both methods.
    const [, pinned] = /^(official|community)-/.exec(golden.contactCenter) ?? [];
    const method = pinned === undefined ? golden.request.method : pinned === 'official' ? 'GET' : 'POST';
    return item[method === 'HEAD' ? 'get' : method.toLowerCase()] ?? Object.values(item)[0];
  }

  function assertTold(operation: Operation, status: number, body: string, what: string): void {
    const schema = operation.responses[status]?.content?.['application/json']?.schema;
    assert.ok(schema, `${what}: ${status} is not told of`);
    assert.ok(Check(schema, JSON.parse(body)), `${what}: the body of ${status} is not as it is told of`);
  }

  it('holds for every golden answer', () => {
    const seen = new Set<string>();
    for (const golden of cases) {
      const operation = find(golden);
      if (operation === undefined) continue;
      const body = golden.answer.body.replaceAll(/\{\{link[^}]*\}\}/g, 'https://rollcall.example/link');
      assertTold(operation, golden.answer.status, body, golden.source);
      seen.add(pathOf(golden));
    }
    const withToken = Object.keys(paths).filter((path) => !path.startsWith('/rollcall/'));
    // Voiso's other path is the same operation, and told of once.
    assert.deepEqual([...seen].sort(), withToken.sort());
  });

  it('holds for failures of the server', () => {
    for (const operation of Object.values(paths).flatMap((item) => Object.values(item))) {
      const dialect = DIALECTS.find(({ title }) => operation.tags.includes(title));
      for (const kind of dialect === undefined ? [] : UNSEEN) {
        const answer = dialect?.encodeFailure({ kind, fields: {} });
        assertTold(operation, answer?.status ?? 0, answer?.body ?? '', `${operation.tags} ${kind}`);
      }
    }
  });
});

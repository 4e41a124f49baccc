import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type ServerProcess, serveJson, type Told } from './server-process.ts';
import { describeOnStores } from './stores.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: object;
}

interface Operation {
  readonly operationId: string;
  readonly description?: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { schema: object }>> };
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
  readonly responses: Readonly<
    Record<string, { description: string; content?: Readonly<Record<string, { schema: object }>> }>
  >;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly securitySchemes: Readonly<Record<string, object>> };
}

describeOnStores('the reference of a running server', {}, (store) => {
  let data: string;
  let server: ServerProcess & { readonly told: Told };
  before(async () => {
    data = await mkdtemp(join(tmpdir(), 'rollcall-reference-'));
    server = await serveJson(...(await store.flags(data)));
  });
  after(async () => {
    await server.stop();
    await rm(data, { recursive: true });
  });

  const readDocument = async () => (await (await fetch(server.told.openapi)).json()) as Document;

  test('/openapi.json is OpenAPI 3.1 and tells of each endpoint once', async () => {
    const answer = await fetch(server.told.openapi);
    assert.equal(answer.status, 200);
    assert.match(String(answer.headers.get('content-type')), /^application\/json/);
    const document = (await answer.json()) as Document;
    assert.match(document.openapi, /^3\.1\.\d$/);
    assert.equal(document.info.title, 'Rollcall');
    const operations = Object.entries(document.paths).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(operations.sort(), [
      'delete /rollcall/v1/recordings/{number}',
      'get /rollcall/v1/media/{contactCenterId}/{number}',
      'get /rollcall/v1/recordings',
      'get /rollcall/v1/recordings/{number}',
      'get /user_management/v1/users',
      'get /v1/lead/get-recordings',
      'get /v1/users',
      'get /v1/users/recordings',
      'get /v1/users/search',
      'post /rollcall/v1/recordings',
      'post /v1/lead/get-recordings',
      'post /v1/users/recordings',
      'post /v1/users/search',
    ]);
  });

  test('a path that another stands for is named with it', async () => {
    const { paths } = await readDocument();
    for (const [method, path, twin] of [
      ['get', '/user_management/v1/users', '/api/user_management/v1/users'],
      ['get', '/v1/lead/get-recordings', '/v1/leads/get-recordings'],
      ['post', '/v1/lead/get-recordings', '/v1/leads/get-recordings'],
    ] as const) {
      assert.match(paths[path]?.[method]?.description ?? '', new RegExp(`Also served at ${twin}\\.$`));
    }
    assert.doesNotMatch(paths['/v1/users']?.get?.description ?? '', /Also served/);
  });

  test('every operation is told whole', async () => {
    const { paths, components } = await readDocument();
    const operations = Object.values(paths).flatMap((item) => Object.values(item));
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
    for (const { operationId, parameters = [], requestBody, security = [], responses } of operations) {
      for (const parameter of parameters) {
        assert.deepEqual(
          {
            isKnown: /^(query|path|header)$/.test(parameter.in),
            hasSchema: Object.keys(parameter.schema).length > 0,
          },
          { isKnown: true, hasSchema: true },
          `${operationId} ${parameter.name}`,
        );
      }
      for (const [type, { schema }] of Object.entries(requestBody?.content ?? {})) {
        assert.ok(Object.keys(schema).length > 0, `${operationId} ${type}`);
      }
      // A link needs no token, and gives what is no JSON.
      if (operationId === 'rollcall.media') {
        assert.deepEqual(
          Object.keys(responses).sort().join(' '),
          '200 206 302 304 403 404 405 412 413 416 429 431 500 503',
        );
        continue;
      }
      assert.ok(security.length > 0, `${operationId} takes a token`);
      for (const scheme of security.flatMap((each) => Object.keys(each))) {
        assert.ok(scheme in components.securitySchemes, `${operationId} ${scheme}`);
      }
      if (operationId.startsWith('rollcall.')) {
        for (const status of ['401', '403', '429', '503']) {
          assert.ok(
            responses[status]?.content?.['application/problem+json']?.schema,
            `${operationId} ${status}`,
          );
        }
        assert.ok(
          ['200', '201', '204'].some((status) => responses[status] !== undefined),
          operationId,
        );
        continue;
      }
      for (const status of ['200', '401', '403', '429']) {
        const response = responses[status];
        assert.equal(typeof response?.description, 'string', `${operationId} ${status}`);
        assert.ok(response?.content?.['application/json']?.schema, `${operationId} ${status}`);
      }
    }
    // Nothing is referred to that the document does not hold.
    assert.doesNotMatch(JSON.stringify(paths), /"\$ref":"(?!#\/components\/)/);
  });

  test("the vendors' parameters are all there", async () => {
    const { paths, components } = await readDocument();
    const names = (path: string) => (paths[path]?.get?.parameters ?? []).map(({ name }) => name).sort();
    // The token is told as a security scheme, as OpenAPI has it.
    assert.deepEqual(names('/v1/users/search'), ['limit', 'offset', 'user']);
    assert.deepEqual(components.securitySchemes.convosoToken, {
      type: 'apiKey',
      in: 'query',
      name: 'auth_token',
    });
    assert.deepEqual(names('/user_management/v1/users'), [
      'caller_id',
      'email',
      'extension',
      'id',
      'limit',
      'name',
      'offset',
      'sag',
      'sip_account',
      'timezone',
    ]);
    assert.deepEqual(names('/v1/users'), [
      'is_extension_created',
      'is_international_calling',
      'is_login_based_calling',
      'is_web_login',
      'last_seen_id',
      'limit',
      'user_status',
    ]);
    assert.deepEqual(Object.keys(paths['/v1/users/search']?.post?.requestBody?.content ?? {}).sort(), [
      'application/json',
      'application/x-www-form-urlencoded',
    ]);
  });

  test('/docs and all that it needs come from this server', async () => {
    const page = await fetch(server.told.docs);
    assert.equal(page.status, 200);
    assert.match(String(page.headers.get('content-type')), /^text\/html/);
    const html = await page.text();
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    assert.ok(links.some((link) => link.endsWith('.js')) && links.some((link) => link.endsWith('.css')));
    const base = page.url.endsWith('/') ? page.url : `${page.url}/`;
    for (const link of links) {
      const url = new URL(link, page.url);
      assert.equal(url.origin, server.told.address, `${link} is on another server`);
      const answer = await fetch(url);
      assert.equal(answer.status, 200, link);
      const text = await answer.text();
      assert.ok(text.length > 0, link);
      if (link.endsWith('.css')) {
        assert.doesNotMatch(text, /(?:@import|url\()\s*["']?(?:https?:)?\/\//, link);
      }
    }
    const initializer = await (await fetch(new URL('static/swagger-initializer.js', base))).text();
    assert.match(initializer, /tryItOutEnabled["']?\s*:\s*true/);
    assert.match(initializer, /validatorUrl["']?\s*:\s*null/);
    const policy = String(page.headers.get('content-security-policy'));
    assert.match(policy, /default-src 'self'/);
    assert.doesNotMatch(policy, /https?:\/\//);
  });
});

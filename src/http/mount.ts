import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify';
import type { AccessStore } from '../access/ports.ts';
import { type Access, authenticate, authorize } from '../access/tokens.ts';
import { type Answer, etagOf } from './answers.ts';
import type { DialectDeps, Endpoint, WireFormat } from './dialect.ts';
import type { Limits } from './limits.ts';
import { MEDIA_ROUTE } from './media.ts';
import { weighPreconditions } from './preconditions.ts';
import type { Repeats } from './repeats.ts';
import type { Asker } from './request-log.ts';
import { sendJson } from './send-json.ts';
import { type EncodeFailure, encodeProblem } from './wire-failure.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Has a function called when this turn of the event loop ends, where answers go out together. */
    atEndOfTurn(send: () => void): void;
  }
  interface FastifyRequest {
    /** Who asks, for the log: set once a token or a link was found good. */
    asker: Asker | null;
    /** Set once the request was let in; what is refused before is counted against its address. */
    admitted: boolean;
    /** Bytes of a streamed body, which has no length beforehand. */
    streamedBytes: number;
  }
  interface FastifyContextConfig {
    operation?: string;
    dialect?: string;
    /** Of answers that say themselves how they may be kept; else they are not to be. */
    cacheControl?: string;
    /** Its body may be long, and take its time as long as it moves. */
    isUpload?: boolean;
  }
}

export interface MountDeps extends DialectDeps {
  readonly access: AccessStore;
  readonly limits: Limits;
  readonly repeats: Repeats;
}

/** Mounts a wire format's endpoints under its prefix, and at the root where they belong there too. */
export function mountDialect(app: FastifyInstance, dialect: WireFormat, deps: MountDeps): void {
  const endpoints = dialect.endpoints(deps);
  for (const prefix of [...(dialect.isAtRoot ? [''] : []), `/${dialect.name}`]) {
    app.register(
      async (scope) => {
        // Schemas describe; the vendors' own rules are checked by hand, in their order.
        scope.setValidatorCompiler(() => () => true);
        // Answers come as bytes: compiling how to write them would only hold up the start.
        scope.setSerializerCompiler(() => JSON.stringify);
        scope.removeAllContentTypeParsers();
        dialect.parsers(scope);
        for (const endpoint of endpoints)
          addRoutes(scope, dialect, endpoint, deps, dialect.isAtRoot && prefix !== '');
      },
      { prefix },
    );
  }
}

function addRoutes(
  app: FastifyInstance,
  dialect: WireFormat,
  endpoint: Endpoint,
  deps: MountDeps,
  isTwin: boolean,
): void {
  for (const [at, url] of endpoint.paths.entries()) {
    for (const method of endpoint.methods) {
      app.route({
        method,
        url,
        config: {
          operation: endpoint.operation,
          dialect: dialect.name,
          isUpload: endpoint.isUpload ?? false,
        },
        schema: { ...describeTwins(endpoint.schema(method), endpoint.paths), hide: isTwin || at > 0 },
        handler: async (request, reply) => {
          const secret = endpoint.secretOf(request);
          const access = await admit(request, secret, dialect, endpoint, deps);
          const answer = await endpoint.answer(request, reply, access);
          if (!('payload' in answer)) return answer;
          // Most that is asked once is not asked again.
          if (secret !== undefined && endpoint.isRepeatable && answer.isRepeated)
            deps.repeats.note(request, secret, access, answer);
          if (request.method !== 'POST' && isUnchanged(request, reply, answer)) return reply.code(304).send();
          return sendJson(reply, answer.payload);
        },
      });
    }
  }
}

/** Says of an endpoint's first path, which stands for all in OpenAPI, which others there are. */
function describeTwins(schema: FastifySchema, [, ...twins]: readonly string[]): FastifySchema {
  if (twins.length === 0) return schema;
  const said = `Also served at ${twins.join(' and ')}.`;
  return {
    ...schema,
    description: schema.description === undefined ? said : `${schema.description} ${said}`,
  };
}

/**
 * Whether who asks has this very answer already (RFC 9110 section 13.1.2). The tag is told with answers that
 * are asked for again: what is asked once needs none, and working it out would cost each answer something.
 */
function isUnchanged(request: FastifyRequest, reply: FastifyReply, answer: Answer): boolean {
  const tags = request.headers['if-none-match'];
  if (tags === undefined && !answer.isRepeated) return false;
  const etag = etagOf(answer);
  reply.header('etag', etag);
  return weighPreconditions({ 'if-none-match': tags }, etag) === 'not_modified';
}

/** Token, scope, rate limit: in this order. */
async function admit(
  request: FastifyRequest,
  secret: string | undefined,
  dialect: WireFormat,
  endpoint: Endpoint,
  deps: MountDeps,
): Promise<Access> {
  const access = await authenticate(deps.access, secret, deps.now());
  request.asker = { contactCenter: access.contactCenter.name, tokenId: access.token.id };
  authorize(access, dialect.name, endpoint.scope);
  request.admitted = true;
  await deps.limits.admit(access.token.id, request.ip);
  return access;
}

/** The paths that are no vendor's; `:name` stands for one part. */
const OWN_PATHS = ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', MEDIA_ROUTE];

/** Which vendor's form a path is answered in, and which methods it knows. */
export type PathForms = (path: string) => {
  readonly encode: EncodeFailure;
  readonly dialect: string | null;
  readonly allow: readonly string[] | null;
};

interface Known {
  readonly dialect: WireFormat | null;
  allow: readonly string[];
}

const isPattern = (path: string) => path.includes('/:');
const patternOf = (path: string) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`);

/** Finds a path's form: the vendor's own under a prefix or on a documented path, else a problem document. */
export function createPathForms(dialects: readonly WireFormat[], deps: DialectDeps): PathForms {
  const documented = new Map<string, Known>();
  const add = (path: string, dialect: WireFormat | null, methods: readonly string[]) => {
    const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    // Endpoints of different scopes may share a path.
    documented.set(path, { dialect, allow: [...(documented.get(path)?.allow ?? []), ...allow] });
  };
  for (const path of OWN_PATHS) add(path, null, ['GET']);
  for (const dialect of dialects) {
    for (const endpoint of dialect.endpoints(deps)) {
      for (const path of endpoint.paths) {
        if (dialect.isAtRoot) add(path, dialect, endpoint.methods);
        add(`/${dialect.name}${path}`, dialect, endpoint.methods);
      }
    }
  }
  const patterns = [...documented]
    .filter(([path]) => isPattern(path))
    .map(([path, known]) => ({ pattern: patternOf(path), known }));
  return (path) => {
    const known = documented.get(path) ?? patterns.find(({ pattern }) => pattern.test(path))?.known;
    const under = dialects.find(({ name }) => path === `/${name}` || path.startsWith(`/${name}/`));
    const dialect = known === undefined ? under : known.dialect;
    return {
      encode: dialect?.encodeFailure ?? encodeProblem,
      dialect: dialect?.name ?? null,
      allow: known?.allow ?? null,
    };
  };
}

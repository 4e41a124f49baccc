import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AccessStore } from '../access/ports.ts';
import { type Access, authenticate, authorize } from '../access/tokens.ts';
import type { Dialect, DialectDeps, Endpoint } from './dialect.ts';
import type { Limits } from './limits.ts';
import { type EncodeFailure, encodeProblem } from './wire-failure.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves when this turn of the event loop ends, where answers go out together. */
    endOfTurn(): Promise<void>;
  }
  interface FastifyRequest {
    /** Set once a token was found good. */
    access: Access | null;
    /** Set once the request was let in; what is refused before is counted against its address. */
    admitted: boolean;
    /** Bytes of a streamed body, which has no length beforehand. */
    streamedBytes: number;
  }
  interface FastifyContextConfig {
    operation?: string;
    dialect?: string;
  }
}

export interface MountDeps extends DialectDeps {
  readonly access: AccessStore;
  readonly limits: Limits;
}

/** Mounts a dialect's endpoints at the root and under its prefix. */
export function mountDialect(app: FastifyInstance, dialect: Dialect, deps: MountDeps): void {
  const endpoints = dialect.endpoints(deps);
  for (const prefix of ['', `/${dialect.name}`]) {
    app.register(
      async (scope) => {
        // Schemas describe; the vendors' own rules are checked by hand, in their order.
        scope.setValidatorCompiler(() => () => true);
        scope.removeAllContentTypeParsers();
        dialect.parsers(scope);
        for (const endpoint of endpoints) addRoutes(scope, dialect, endpoint, deps, prefix !== '');
      },
      { prefix },
    );
  }
}

function addRoutes(
  app: FastifyInstance,
  dialect: Dialect,
  endpoint: Endpoint,
  deps: MountDeps,
  isTwin: boolean,
): void {
  for (const [at, url] of endpoint.paths.entries()) {
    for (const method of endpoint.methods) {
      app.route({
        method,
        url,
        config: { operation: endpoint.operation, dialect: dialect.name },
        schema: { ...endpoint.schema(method), hide: isTwin || at > 0 },
        handler: async (request, reply) => {
          const access = await admit(request, dialect, endpoint, deps);
          return endpoint.answer(request, reply, access);
        },
      });
    }
  }
}

/** Token, scope, rate limit: in this order. */
async function admit(
  request: FastifyRequest,
  dialect: Dialect,
  endpoint: Endpoint,
  deps: MountDeps,
): Promise<Access> {
  const access = await authenticate(deps.access, endpoint.secretOf(request), deps.now());
  request.access = access;
  authorize(access, dialect.name, endpoint.scope);
  request.admitted = true;
  await deps.limits.admit(access.token.id, request.ip);
  return access;
}

/** The paths that are no vendor's. */
const OWN_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs']);

/** Which vendor's form a path is answered in, and which methods it knows. */
export type PathForms = (path: string) => {
  readonly encode: EncodeFailure;
  readonly dialect: string | null;
  readonly allow: readonly string[] | null;
};

/** Finds a path's form: the vendor's own under a prefix or on a documented path, else a problem document. */
export function createPathForms(dialects: readonly Dialect[], deps: DialectDeps): PathForms {
  const documented = new Map<string, { dialect: Dialect; allow: string[] }>();
  for (const dialect of dialects) {
    for (const endpoint of dialect.endpoints(deps)) {
      const allow = endpoint.methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
      for (const path of endpoint.paths) {
        documented.set(path, { dialect, allow });
        documented.set(`/${dialect.name}${path}`, { dialect, allow });
      }
    }
  }
  return (path) => {
    const known = documented.get(path);
    if (known !== undefined) {
      return { encode: known.dialect.encodeFailure, dialect: known.dialect.name, allow: known.allow };
    }
    if (OWN_PATHS.has(path)) return { encode: encodeProblem, dialect: null, allow: ['GET', 'HEAD'] };
    const under = dialects.find(({ name }) => path === `/${name}` || path.startsWith(`/${name}/`));
    return { encode: under?.encodeFailure ?? encodeProblem, dialect: under?.name ?? null, allow: null };
  };
}

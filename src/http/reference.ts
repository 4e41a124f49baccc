import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** Serves /openapi.json, made from the routes' own schemas, and the reference at /docs, which needs no network. */
export function mountReference(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Rollcall',
        version,
        description:
          "One directory of a contact center's users, answered in the wire formats of Convoso, Voiso and Smartflo. " +
          'Every path is also served under /convoso, /voiso or /smartflo. Not affiliated with these vendors.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
          convosoToken: { type: 'apiKey', in: 'query', name: 'auth_token' },
        },
      },
    },
  });
  app.addHook('onRoute', (route) => {
    if (route.url === '/docs' || route.url.startsWith('/docs/')) {
      route.config = { ...route.config, operation: 'docs' };
    }
  });
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // Where Rollcall is served without TLS, a browser that upgrades requests would find nothing.
    transformStaticCSP: (policy) => policy.replace(/;?\s*upgrade-insecure-requests/, ''),
    uiConfig: { layout: 'BaseLayout', deepLinking: true, tryItOutEnabled: true, validatorUrl: null },
  });
  app.get('/openapi.json', { schema: { hide: true }, config: { operation: 'openapi' } }, async () =>
    app.swagger(),
  );
}

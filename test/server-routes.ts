import type { FastifyInstance } from 'fastify';

export interface ServedRoute {
  readonly path: string;
  readonly methods: readonly string[];
}

/** Every route that a server has, read from its own tree: one that is mounted tomorrow is among them. */
export function listRoutes(server: FastifyInstance): ServedRoute[] {
  const routes: ServedRoute[] = [];
  const above: string[] = [];
  for (const line of server.printRoutes({ commonPrefix: false }).split('\n')) {
    const match = /^((?:[│ ] {3})*)[├└]── (\S+) \(([A-Z, ]+)\)$/.exec(line);
    if (match === null) {
      if (line.trim() !== '') throw new Error(`cannot read this line of the tree of routes: ${line}`);
      continue;
    }
    const [, indent = '', part = '', methods = ''] = match;
    const depth = indent.length / 4;
    above.length = depth;
    above.push(part);
    routes.push({ path: above.join(''), methods: methods.split(', ') });
  }
  return routes;
}

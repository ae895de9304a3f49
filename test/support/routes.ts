import type { FastifyInstance } from 'fastify';

export interface Route {
  readonly method: string;
  /** With parameters as `:name`. */
  readonly path: string;
}

/** Every route of a server, from the tree that fastify draws of them; HEAD goes without saying. */
export function routesOf(server: FastifyInstance): Route[] {
  const above: string[] = [];
  return server
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent, piece, methods = ''] =
        /^((?:│ {3}| {4})*)(?:├──|└──) (.*?)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
      if (indent === undefined || piece === undefined) return [];
      const depth = indent.length / 4;
      above.length = depth;
      const path = `${above.at(-1) ?? ''}${piece}`;
      above.push(path);
      return methods
        .split(', ')
        .filter((method) => method !== '' && method !== 'HEAD')
        .map((method) => ({ method, path }));
    });
}

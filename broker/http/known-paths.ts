import type { FastifyInstance } from 'fastify';

interface KnownPath {
  readonly pattern: RegExp;
  readonly methods: string[];
}

/** What the app's router has been told of: to tell a path that does not exist from a method that a path does not have. */
export class KnownPaths {
  readonly #paths = new Map<string, KnownPath>();

  /** To be called before the app gets its routes. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ url, method }) => this.add(url, method));
  }

  /** Adds a path that is served before the router sees it. */
  add(url: string, method: string | string[]): void {
    let known = this.#paths.get(url);
    if (known === undefined) this.#paths.set(url, (known = { pattern: patternOf(url), methods: [] }));
    known.methods.push(...[method].flat());
  }

  /** The methods of the routes that `url`, with or without a query, leads to; none where there is nothing. */
  methodsAt(url: string): string[] {
    const path = url.split('?', 1)[0]!;
    const found = [...this.#paths.values()].filter(({ pattern }) => pattern.test(path));
    return [...new Set(found.flatMap(({ methods }) => methods))].sort();
  }
}

/** In the router's spelling `:name` is one segment, or the part of one up to a colon, and `::` a colon. */
function patternOf(url: string): RegExp {
  const parts = url.split(/(::|:\w+)/).map(part => {
    if (part === '::') return ':';
    return part.startsWith(':') ? '[^/]+' : part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  });
  return new RegExp(`^${parts.join('')}$`);
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Schema } from './openapi/schema.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A body, or an answer, in one form. */
export interface Content {
  readonly schema: Schema;
  readonly example?: unknown;
}

/** A query parameter or a header that a route looks at. */
export interface Parameter {
  readonly in: 'query' | 'header';
  readonly schema: Schema;
  readonly description: string;
}

export interface Answer {
  readonly description: string;
  /** By media type; without it the answer has no body. */
  readonly content?: Readonly<Record<string, Content>>;
}

/** A path and method as people are told of it: the OpenAPI document and docs/HTTP.md are written from these rows. */
export interface RouteDoc {
  readonly method: Method;
  /** Parameters in braces, as OpenAPI has them: `/topics/{topic}/records`. */
  readonly path: string;
  /** OpenAPI's operationId: unique. */
  readonly id: string;
  readonly tag: string;
  /** One sentence without its full stop. */
  readonly summary: string;
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** By media type. */
  readonly body?: Readonly<Record<string, Content>>;
  /** By HTTP status; what goes wrong is told in the same form everywhere and not listed. */
  readonly answers: Readonly<Record<number, Answer>>;
}

/** A row that is served: `parts` is what its handler needs of the broker. */
export interface Route<Parts> extends RouteDoc {
  handle(parts: Parts, request: FastifyRequest, reply: FastifyReply): unknown;
  /** A GET that changes something: pages of other origins are refused it. */
  readonly isWrite?: true;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    isWrite?: boolean;
  }
}

/** Serves the rows of a table. */
export function registerRoutes<Parts>(app: FastifyInstance, routes: readonly Route<Parts>[], parts: Parts): void {
  for (const route of routes) {
    app.route({
      method: route.method,
      url: routerPath(route.path),
      config: { isWrite: route.isWrite ?? false },
      handler: (request, reply) => route.handle(parts, request, reply),
    });
  }
}

/** The router's spelling of a path: `{name}` is a parameter there when it is `:name`, and a colon of the path is doubled. */
export function routerPath(path: string): string {
  return path.replaceAll(':', '::').replaceAll(/\{(\w+)\}/g, ':$1');
}

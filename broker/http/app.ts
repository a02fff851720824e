import Fastify, { type FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import type { ConnectionContext } from '../request/context.ts';
import { isCrossOriginWrite } from './cross-origin.ts';
import { DOCS_ASSETS, DOCS_ROUTES } from './docs-page.ts';
import { HEALTH_ROUTES } from './health.ts';
import { errorBody, errorHandler } from './http-error.ts';
import { HttpServers } from './http-servers.ts';
import { KnownPaths } from './known-paths.ts';
import { METRICS_ROUTES } from './metrics-page.ts';
import { openApiDocument } from './openapi/document.ts';
import type { Readiness } from './ports.ts';
import { registerRoutes, routerPath } from './route.ts';
import { ALL_ROUTES } from './routes.ts';
import type { RpcCall } from './rpc-call.ts';
import { discard } from './rest/body.ts';
import { RpcApis } from './rpc-apis.ts';
import { RPC_DOC, RPC_LIST_ROUTES } from './rpc-routes.ts';
import { RpcService, type RpcParts } from './rpc.ts';

export interface HttpAppParts extends RpcParts {
  readonly readiness: () => Readiness;
  readonly registry: Pick<Registry, 'metrics' | 'contentType'>;
  /** Adds further routes before the app is made ready. */
  readonly routes?: (app: FastifyInstance) => void;
}

/** Longest parameter in a path: a topic's name has up to 249 characters, each of which may come as `%2E`. */
const MAX_PATH_PARAMETER = 3 * 249;

/** The HTTP side of the broker: it takes over sockets that the listeners have found to speak HTTP. */
export interface HttpApp {
  http1(socket: Socket, connection: ConnectionContext): void;
  http2(socket: Socket, connection: ConnectionContext): void;
  /** Resolves when all HTTP connections are closed, at the latest after `gracefulMs`. */
  close(gracefulMs: number): Promise<void>;
}

/** Builds the one Fastify app behind both HTTP versions. */
export async function createHttpApp(parts: HttpAppParts): Promise<HttpApp> {
  const apis = new RpcApis(parts.dispatcher);
  const rpc = new RpcService(apis, parts);
  let servers: HttpServers | undefined;
  const app = Fastify({
    bodyLimit: parts.options.maxRequestBytes,
    routerOptions: { maxParamLength: MAX_PATH_PARAMETER },
    serverFactory: handler => {
      const handlers = { rpc: (call: RpcCall) => void rpc.serve(call), other: handler };
      servers = new HttpServers(handlers, parts.clock, parts.timers, parts.options.maxIdleMs);
      return servers.http1Server;
    },
  });
  const knownPaths = new KnownPaths(app);
  knownPaths.add(routerPath(RPC_DOC.path), RPC_DOC.method);
  app.addHook('onRequest', (request, reply, done) => {
    const isWrite = request.routeOptions.config.isWrite ?? false;
    if (!isCrossOriginWrite(request.method, isWrite, request.headers, request.host)) {
      done();
      return;
    }
    void discard(request.raw);
    void reply.code(403).send(errorBody(403, 'Pages of another origin may not change anything here.'));
  });
  app.setErrorHandler(errorHandler(parts.logger));
  app.setNotFoundHandler((request, reply) => {
    void discard(request.raw);
    const methods = knownPaths.methodsAt(request.url);
    if (methods.length === 0) return reply.code(404).send(errorBody(404, `There is nothing at ${request.url}.`));
    const allowed = methods.join(', ');
    const sentence = `${request.method} is not possible at ${request.url}; possible is ${allowed}.`;
    return reply.code(405).header('allow', allowed).send(errorBody(405, sentence));
  });
  registerRoutes(app, HEALTH_ROUTES, parts);
  registerRoutes(app, METRICS_ROUTES, parts);
  registerRoutes(app, RPC_LIST_ROUTES, { apis });
  registerRoutes(app, [...DOCS_ROUTES, ...DOCS_ASSETS], { openApi: () => openApiDocument(ALL_ROUTES) });
  parts.routes?.(app);
  await app.ready();
  return {
    http1: (socket, connection) => servers!.http1(socket, connection),
    http2: (socket, connection) => servers!.http2(socket, connection),
    close: async gracefulMs => {
      const drained = servers!.close(gracefulMs);
      await app.close();
      await drained;
    },
  };
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorBody } from '../http-error.ts';
import { registerRoutes, type Route } from '../route.ts';
import { discard, isBrokenOff } from './body.ts';
import { GROUP_ROUTES } from './groups/routes.ts';
import type { RestParts } from './parts.ts';
import { restError, type RestError } from './rest-errors.ts';
import { SHORT_ROUTES } from './short-routes.ts';
import { v3Error } from './v3/errors.ts';
import { V3_ROUTES } from './v3/routes.ts';

/** A family of paths with its own way to tell errors. */
interface Family {
  readonly routes: readonly Route<RestParts>[];
  readonly errorOf: (error: unknown) => RestError | null;
  /** The error code of what Fastify itself refuses, from its HTTP status. */
  readonly codeOf: (status: number) => number;
}

const FAMILIES: readonly Family[] = [
  { routes: [...SHORT_ROUTES, ...GROUP_ROUTES], errorOf: restError, codeOf: status => status * 100 },
  { routes: V3_ROUTES, errorOf: v3Error, codeOf: status => status },
];

/** Serves records and administration over REST, at any broker, whoever leads. Bodies come to the handlers unread. */
export function registerRest(app: FastifyInstance, parts: RestParts): void {
  for (const family of FAMILIES) {
    void app.register((scope, _options, done) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload));
      scope.setErrorHandler((error, request, reply) => answerError(family, error, request, reply, parts));
      registerRoutes(scope, family.routes, parts);
      done();
    });
  }
}

function answerError(
  { errorOf, codeOf }: Family,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { logger }: RestParts,
): FastifyReply {
  void discard(request.raw);
  const known = errorOf(error);
  if (known !== null) return reply.code(known.status).send(known.body);
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  if (status < 500) return reply.code(status).send(errorBody(codeOf(status), (error as Error).message));
  const fields = { err: error, method: request.method, url: request.url };
  if (isBrokenOff(error, request)) logger.debug(fields, 'a REST request is broken off by its client');
  else logger.error(fields, 'a REST request failed unexpectedly');
  const sentence = 'The broker failed to handle the request; its log says why.';
  return reply.code(500).send(errorBody(codeOf(500), sentence));
}

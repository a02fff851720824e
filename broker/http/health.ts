import type { FastifyInstance } from 'fastify';
import type { Readiness } from './ports.ts';

/** `/healthz`: the process serves requests. `/readyz`: it should be sent some. */
export function registerHealth(app: FastifyInstance, readiness: () => Readiness): void {
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, reason } = readiness();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reason });
  });
}

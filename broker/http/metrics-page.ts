import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** `/metrics` in Prometheus' text form. */
export function registerMetricsPage(app: FastifyInstance, registry: Pick<Registry, 'metrics' | 'contentType'>): void {
  app.get('/metrics', async (_request, reply) => {
    const page = await registry.metrics();
    return reply.type(registry.contentType).send(page);
  });
}

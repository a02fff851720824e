import type { Registry } from 'prom-client';
import type { Route } from './route.ts';

/** `/metrics` in Prometheus' text form. */
export const METRICS_ROUTES: readonly Route<{ readonly registry: Pick<Registry, 'metrics' | 'contentType'> }>[] = [
  {
    method: 'GET',
    path: '/metrics',
    id: 'metrics',
    tag: 'Operation',
    summary: 'Shows the metrics in the text form of Prometheus',
    answers: { 200: { description: 'The metrics.', content: { 'text/plain': { schema: { type: 'string' } } } } },
    handle: async ({ registry }, _request, reply) => {
      const page = await registry.metrics();
      return reply.type(registry.contentType).send(page);
    },
  },
];

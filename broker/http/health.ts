import { struct } from './openapi/schema.ts';
import type { Readiness } from './ports.ts';
import type { Answer, Route } from './route.ts';

const tag = 'Operation';

function state(description: string, example: object): Answer {
  const schema = struct({ status: { type: 'string' }, reason: { type: 'string' } }, ['reason']);
  return { description, content: { 'application/json': { schema, example } } };
}

/** `/healthz`: the process serves requests. `/readyz`: it should be sent some. */
export const HEALTH_ROUTES: readonly Route<{ readonly readiness: () => Readiness }>[] = [
  {
    method: 'GET',
    path: '/healthz',
    id: 'isAlive',
    tag,
    summary: 'Tells that the process answers',
    answers: { 200: state('It does.', { status: 'ok' }) },
    handle: () => ({ status: 'ok' }),
  },
  {
    method: 'GET',
    path: '/readyz',
    id: 'isReady',
    tag,
    summary: 'Tells whether the broker is registered and known to the controller',
    answers: {
      200: state('It is.', { status: 'ready', reason: '' }),
      503: state('It is not.', {
        status: 'not ready',
        reason: 'The controller has not told this broker of the cluster.',
      }),
    },
    handle: ({ readiness }, _request, reply) => {
      const { ready, reason } = readiness();
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reason });
    },
  },
];

import { RPC_PATH } from '../../shared/connection/rpc.ts';
import { struct } from './openapi/schema.ts';
import type { Content, Route, RouteDoc } from './route.ts';
import type { RpcApis } from './rpc-apis.ts';

const tag = 'RPC';
const FORMS: Readonly<Record<string, Content>> = {
  'application/json': { schema: { type: 'object' }, example: { topics: null } },
  'application/vnd.kafka.rpc': { schema: { type: 'string', format: 'binary' } },
};

export const RPC_LIST_ROUTES: readonly Route<{ readonly apis: RpcApis }>[] = [
  {
    method: 'GET',
    path: RPC_PATH.slice(0, -1),
    id: 'listApis',
    tag,
    summary: 'Lists the Kafka APIs with their versions',
    answers: {
      200: {
        description: 'The APIs.',
        content: { 'application/json': { schema: struct({ apis: { type: 'array', items: { type: 'object' } } }) } },
      },
    },
    handle: ({ apis }) => ({ apis: apis.describe() }),
  },
];

/** RPCs do not pass through the router (see rpc-call.ts): this row only tells of them. */
export const RPC_DOC: RouteDoc = {
  method: 'POST',
  path: `${RPC_PATH}{api}`,
  id: 'callApi',
  tag,
  summary: 'Calls a Kafka API',
  parameters: {
    version: { in: 'query', schema: { type: 'integer', minimum: 0 }, description: 'Of the API; default: the newest.' },
    'x-client-id': { in: 'header', schema: { type: 'string' }, description: 'Kafka’s client id.' },
  },
  body: FORMS,
  answers: {
    200: { description: 'The answer, in the form that `accept` asks for.', content: FORMS },
    204: { description: 'Accepted: what is asked for no acknowledgement has no answer.' },
  },
};

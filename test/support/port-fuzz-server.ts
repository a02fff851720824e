/** The broker's port in a process of its own, with handlers that decode what comes and answer little. */
import { createHttpApp } from '../../broker/http/app.ts';
import { NetworkServer } from '../../broker/network/network-server.ts';
import { RequestMemory } from '../../broker/network/request-memory.ts';
import type { RequestContext } from '../../broker/request/context.ts';
import type { ApiHandler, Dispatcher } from '../../broker/request/handler.ts';
import type { Api } from '../../shared/protocol/api.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts';
import { silentLogger } from '../../shared/runtime/logger.ts';
import { serverSessions } from './server-sessions.ts';

const apis = new Map<number, Api>([ApiVersions, Metadata, Produce].map(api => [api.key, api as unknown as Api]));

function answer(api: Api, version: number): Buffer[] | undefined {
  if (api.key === Metadata.key) return api.response.encode({ brokers: [], controllerId: 7, topics: [] }, version);
  if (api.key === Produce.key) return api.response.encode({ responses: [] }, version);
  const isKnown = version >= 0 && version <= ApiVersions.versions.max;
  return api.response.encode({ errorCode: isKnown ? 0 : 35, apiKeys: [] }, isKnown ? version : 0);
}

const dispatcher: Dispatcher = {
  handlerFor(apiKey) {
    const api = apis.get(apiKey);
    return api === undefined ? undefined : ({ api, versions: api.versions } as ApiHandler);
  },
  dispatch(body, context: RequestContext) {
    const api = apis.get(context.apiKey)!;
    const isKnown = context.apiVersion >= api.versions.min && context.apiVersion <= api.versions.max;
    if (isKnown) api.request.decode(body, context.apiVersion);
    context.park();
    return Promise.resolve(answer(api, context.apiVersion));
  },
};

const common = {
  dispatcher,
  memory: new RequestMemory(64 << 20, { clock: systemClock, timers: systemTimers }),
  clock: systemClock,
  timers: systemTimers,
  logger: silentLogger,
  observer: { connectionOpened: () => {}, connectionClosed: () => {}, requestAnswered: () => {} },
};
const limits = { maxRequestBytes: 100 << 20, requestTimeoutMs: 30_000, maxIdleMs: 600_000 };
const http = await createHttpApp({
  ...common,
  options: limits,
  readiness: () => ({ ready: true, reason: '' }),
  registry: { contentType: 'text/plain; version=0.0.4; charset=utf-8', metrics: () => Promise.resolve('') },
});
const server = new NetworkServer({
  ...common,
  http,
  listeners: [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0, protocol: 'PLAINTEXT' }],
  options: {
    ...limits,
    maxConnections: 2 ** 31 - 1,
    maxConnectionsPerIp: 2 ** 31 - 1,
    maxConnectionsPerIpOverrides: '',
    backlog: 500,
    interBrokerListenerName: 'PLAINTEXT',
  },
});
await server.bind();
server.startProcessing();
process.send!({ port: server.boundPorts.get('PLAINTEXT') });
process.on('message', () => process.send!({ sessions: serverSessions() }));
process.once('disconnect', () => process.exit());

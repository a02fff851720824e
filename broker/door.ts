import type { BrokerConfig } from './config/broker-config.ts';
import { createHttpApp } from './http/app.ts';
import { GroupStreams } from './http/rest/groups/streams.ts';
import { registerRest } from './http/rest/routes.ts';
import type { BrokerMetrics } from './metrics/broker-metrics.ts';
import { NetworkServer } from './network/network-server.ts';
import type { NetworkOptions, RequestObserver } from './network/options.ts';
import { RequestMemory } from './network/request-memory.ts';
import type { Door, DoorParts } from './platform.ts';
import type { Dispatcher } from './request/handler.ts';
import { buildRestClients } from './rest-clients.ts';

/** The broker's ports with all three dialects behind them. */
export async function openDoor({ rooms, dispatcher, readiness, logger }: DoorParts): Promise<Door> {
  const { config, metrics, clock, timers } = rooms;
  const memory = new RequestMemory(config.get('queued.max.request.bytes'), { clock, timers });
  const options = networkOptions(config);
  const observer = requestObserver(dispatcher, metrics);
  const restLogger = logger.child({ component: 'rest' });
  const rest = buildRestClients(rooms, dispatcher, restLogger);
  const streams = new GroupStreams({ clients: rest, clock, timers, logger: restLogger });
  const restParts = { clients: rest, streams, clusterId: rooms.clusterId, logger: restLogger };
  const http = await createHttpApp({
    dispatcher,
    memory,
    options,
    observer,
    clock,
    timers,
    logger: logger.child({ component: 'http' }),
    readiness,
    registry: metrics.registry,
    routes: app => registerRest(app, restParts),
  });
  const network = new NetworkServer({
    listeners: config.listeners.listeners.map(({ name, host, port, securityProtocol }) => ({
      name,
      host,
      port,
      protocol: securityProtocol,
      tls: rooms.security.listener(name),
    })),
    http,
    dispatcher,
    memory,
    options,
    observer,
    clock,
    timers,
    logger: logger.child({ component: 'network' }),
  });
  metrics.exposeProcess();
  metrics.expose('requestBytesInFlight', () => memory.bytesInFlight);
  metrics.expose('connections', () => network.connectionCount);
  config.onChange('max.connections.per.ip.overrides', () => {
    network.updateOverrides().catch((error: unknown) => {
      logger.warn({ err: error }, 'the former limits of connections by address stay in force');
    });
  });
  const close = async (gracefulMs: number) => {
    await streams.close(gracefulMs);
    await rest.close();
    await Promise.all([network.close(gracefulMs), http.close(gracefulMs)]);
  };
  try {
    await network.bind();
  } catch (error) {
    await close(0);
    throw error;
  }
  return { boundPorts: network.boundPorts, startProcessing: () => network.startProcessing(), close };
}

/** Read at each use, so that dynamic settings take effect. */
function networkOptions(config: BrokerConfig): NetworkOptions {
  return {
    get maxRequestBytes() {
      return config.get('socket.request.max.bytes');
    },
    get maxConnections() {
      return config.get('max.connections');
    },
    get maxConnectionsPerIp() {
      return config.get('max.connections.per.ip');
    },
    get maxConnectionsPerIpOverrides() {
      return config.get('max.connections.per.ip.overrides');
    },
    get maxIdleMs() {
      return config.get('connections.max.idle.ms');
    },
    get requestTimeoutMs() {
      return config.get('request.timeout.ms');
    },
    get backlog() {
      return config.get('socket.listen.backlog.size');
    },
    interBrokerListenerName: config.listeners.interBroker,
  };
}

function requestObserver(dispatcher: Dispatcher, metrics: BrokerMetrics): RequestObserver {
  return {
    connectionOpened() {},
    connectionClosed() {},
    requestAnswered(apiKey, elapsedMs) {
      const handler = dispatcher.handlerFor(apiKey);
      if (handler !== undefined) metrics.requestCompleted(handler.api.name, elapsedMs);
    },
  };
}

import type { FastifyInstance } from 'fastify';
import type { Clock, Timers } from '../shared/runtime/clock.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { createHttpApp } from './http/app.ts';
import type { Readiness } from './http/ports.ts';
import type { BrokerMetrics } from './metrics/broker-metrics.ts';
import { NetworkServer } from './network/network-server.ts';
import type { NetworkOptions, RequestObserver } from './network/options.ts';
import { RequestMemory } from './network/request-memory.ts';
import type { Dispatcher } from './request/handler.ts';

export interface DoorParts {
  readonly config: BrokerConfig;
  readonly dispatcher: Dispatcher;
  readonly metrics: BrokerMetrics;
  readonly readiness: () => Readiness;
  readonly routes: (app: FastifyInstance) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** The broker's ports with all three dialects behind them. */
export interface Door {
  readonly network: NetworkServer;
  /** Frees the ports and ends all connections, cutting off after `gracefulMs` what does not end by itself. */
  close(gracefulMs: number): Promise<void>;
}

export async function buildDoor(parts: DoorParts): Promise<Door> {
  const { config, dispatcher, metrics, clock, timers, logger } = parts;
  const memory = new RequestMemory(config.get('queued.max.request.bytes'));
  const options = networkOptions(config);
  const observer = requestObserver(dispatcher, metrics);
  const http = await createHttpApp({
    dispatcher,
    memory,
    options,
    observer,
    clock,
    timers,
    logger: logger.child({ component: 'http' }),
    readiness: parts.readiness,
    registry: metrics.registry,
    routes: parts.routes,
  });
  const network = new NetworkServer({
    listeners: config.listeners.listeners.map(({ name, host, port, securityProtocol }) => ({
      name,
      host,
      port,
      protocol: securityProtocol,
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
  metrics.expose('requestBytesInFlight', () => memory.bytesInFlight);
  return {
    network,
    close: async gracefulMs => {
      await Promise.all([network.close(gracefulMs), http.close(gracefulMs)]);
    },
  };
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

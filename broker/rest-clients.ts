import { KafkaConnector } from '../shared/connection/kafka.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import { RestClients } from './http/rest/clients.ts';
import { buildOwnConnector } from './own-connector.ts';
import type { Dispatcher } from './request/handler.ts';
import type { BrokerRooms } from './rooms.ts';

/**
 * The clients behind this broker's REST paths. They see the cluster by the listener between brokers: those addresses
 * brokers can reach, whatever clients outside are told.
 */
export function buildRestClients(rooms: BrokerRooms, dispatcher: Dispatcher, logger: Logger): RestClients {
  const { brokerId, config, metadata, clock, timers, random } = rooms;
  const clientId = `rest-${brokerId}`;
  const remote = new KafkaConnector({
    clientId,
    requestTimeoutMs: config.get('request.timeout.ms'),
    connectTimeoutMs: config.get('socket.connection.setup.timeout.ms'),
    negotiate: true,
    timers,
    tls: rooms.security.interBroker,
  });
  const connector = buildOwnConnector({
    brokerId,
    clientId,
    config,
    metadata,
    timers,
    dispatcher: () => dispatcher,
    remote,
    isOwnName: host => host === 'local',
  });
  return new RestClients({ connector, runtime: { clock, timers, random, logger } });
}

import { KafkaConnector } from '../shared/connection/kafka.ts';
import type { Address } from '../shared/connection/connection.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import { LocalConnection } from './http/local-connection.ts';
import { RestClients } from './http/rest/clients.ts';
import { OwnConnector } from './http/rest/own-connector.ts';
import type { Dispatcher } from './request/handler.ts';
import type { BrokerRooms } from './rooms.ts';

/**
 * The clients behind this broker's REST paths. They see the cluster by the listener between brokers: those addresses
 * brokers can reach, whatever clients outside are told.
 */
export function buildRestClients(rooms: BrokerRooms, dispatcher: Dispatcher, logger: Logger): RestClients {
  const { brokerId, config, metadata, clock, timers, random } = rooms;
  const { interBroker, advertised } = config.listeners;
  const { securityProtocol } = advertised.find(({ name }) => name === interBroker)!;
  const behalf = {
    listenerName: interBroker,
    securityProtocol,
    principal: { type: 'User', name: 'ANONYMOUS' },
    clientAddress: '127.0.0.1',
  };
  const clientId = `rest-${brokerId}`;
  const isOwn = ({ host, port }: Address) => {
    const own = metadata.endpoint(brokerId, interBroker);
    return host === 'local' || (own !== null && own.host === host && own.port === port);
  };
  const remote = new KafkaConnector({
    clientId,
    requestTimeoutMs: config.get('request.timeout.ms'),
    connectTimeoutMs: config.get('socket.connection.setup.timeout.ms'),
    negotiate: true,
    timers,
    tls: rooms.security.interBroker,
  });
  const connector = new OwnConnector(
    isOwn,
    () => new LocalConnection({ dispatcher, clientId, timers, behalf }),
    remote,
  );
  return new RestClients({ connector, runtime: { clock, timers, random, logger } });
}

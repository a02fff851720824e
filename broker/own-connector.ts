import type { Address, Connector } from '../shared/connection/connection.ts';
import type { Timers } from '../shared/runtime/clock.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import { LocalConnection } from './http/local-connection.ts';
import { OwnConnector } from './http/rest/own-connector.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { Dispatcher } from './request/handler.ts';

export interface OwnConnectorParts {
  readonly brokerId: number;
  readonly clientId: string;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly timers: Timers;
  /** null while this broker answers nothing yet. */
  readonly dispatcher: () => Dispatcher | null;
  /** To the other brokers. */
  readonly remote: Connector;
  /** More of what stands for this broker than its address on the listener between brokers. */
  readonly isOwnName?: (host: string) => boolean;
}

/**
 * Connections to brokers as brokers see each other, by the listener between them, of which those to this very broker take no
 * way through a socket: what a coordinator tells partitions that are led beside it costs no more than its answer is worth.
 */
export function buildOwnConnector(parts: OwnConnectorParts): Connector {
  const { brokerId, clientId, config, metadata, timers, remote, isOwnName = () => false } = parts;
  const { interBroker, advertised } = config.listeners;
  const { securityProtocol } = advertised.find(({ name }) => name === interBroker)!;
  const behalf = {
    listenerName: interBroker,
    securityProtocol,
    principal: { type: 'User', name: 'ANONYMOUS' },
    clientAddress: '127.0.0.1',
  };
  const isOwn = ({ host, port }: Address) => {
    if (parts.dispatcher() === null) return false;
    const own = metadata.endpoint(brokerId, interBroker);
    return isOwnName(host) || (own !== null && own.host === host && own.port === port);
  };
  const local = () => new LocalConnection({ dispatcher: parts.dispatcher()!, clientId, timers, behalf });
  return new OwnConnector(isOwn, local, remote);
}

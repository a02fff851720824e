import type { Connector } from '../shared/connection/connection.ts';
import { errorByCode, ErrorCode } from '../shared/protocol/errors.ts';
import { AllocateProducerIds } from '../shared/protocol/messages/allocate-producer-ids.ts';
import type { Clock } from '../shared/runtime/clock.ts';
import type { Logger } from '../shared/runtime/logger.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import { ControllerLink } from './replication/controller-link.ts';
import { ProducerIds } from './transaction/producer-ids.ts';

export interface ProducerIdParts {
  readonly brokerId: number;
  /** The epoch under which this broker is registered. */
  readonly brokerEpoch: () => bigint;
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly connector: Connector;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Producer ids of which the active controller gives this broker a block at a time. */
export function buildProducerIds(parts: ProducerIdParts): ProducerIds {
  const { brokerId, brokerEpoch, config, metadata, connector, clock, logger } = parts;
  const timeoutMs = config.get('controller.socket.timeout.ms');
  const controller = new ControllerLink(metadata, connector, config.listeners.interBroker, timeoutMs);
  const allocate = async () => {
    const request = { brokerId, brokerEpoch: brokerEpoch() };
    const { errorCode, producerIdStart, producerIdLen } = await controller.call(AllocateProducerIds, request, 0);
    if (errorCode !== ErrorCode.NONE) throw new Error(`the controller answered ${errorByCode(errorCode).name}`);
    return { first: producerIdStart, count: producerIdLen };
  };
  return new ProducerIds({ allocate, close: () => controller.close() }, clock, logger);
}

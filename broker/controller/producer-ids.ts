import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { AllocateProducerIds } from '../../shared/protocol/messages/allocate-producer-ids.ts';
import { MalformedZnodeError } from '../../shared/zookeeper/znodes/json.ts';
import type { Office } from './office.ts';

type Request = RequestOf<typeof AllocateProducerIds>;
type Response = ResponseInput<typeof AllocateProducerIds>;

export function allocateProducerIdsError(errorCode: number): Response {
  return { throttleTimeMs: 0, errorCode, producerIdStart: 0, producerIdLen: 0 };
}

/**
 * Gives a broker a block of producer ids of its own (KIP-730; Kafka: `KafkaController.processAllocateProducerIds`). The
 * write is not fenced by the controller's epoch: should two be in office for a moment, the version sees to it that each
 * claims another block.
 */
export async function allocateProducerIds(office: Office, { brokerId, brokerEpoch }: Request): Promise<Response> {
  const { context, store, logger } = office;
  const broker = context.isLive(brokerId) ? context.broker(brokerId) : undefined;
  if (broker === undefined) return allocateProducerIdsError(ErrorCode.BROKER_ID_NOT_REGISTERED);
  if (broker.epoch !== brokerEpoch) return allocateProducerIdsError(ErrorCode.STALE_BROKER_EPOCH);
  try {
    const { first, last } = await store.producerIds.claim(brokerId);
    logger.info({ broker: brokerId, first, last }, `broker ${brokerId} gets the producer ids ${first} to ${last}`);
    return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerIdStart: first, producerIdLen: last - first + 1 };
  } catch (error) {
    if (!(error instanceof MalformedZnodeError)) throw error;
    logger.error({ err: error }, 'cannot give away producer ids');
    return allocateProducerIdsError(ErrorCode.UNKNOWN_SERVER_ERROR);
  }
}

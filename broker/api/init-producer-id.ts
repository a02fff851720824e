import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { InitResult, TransactionCoordinator } from '../transaction/coordinator.ts';
import type { ProducerIds } from '../transaction/producer-ids.ts';
import { fencingCode } from './transaction-codes.ts';

type Request = RequestOf<typeof InitProducerId>;
type Response = ResponseInput<typeof InitProducerId>;

const NONE = -1;

/** From this version on clients know PRODUCER_FENCED (KIP-588). */
const FIRST_WITH_FENCED = 4;

/**
 * Gives producers their ids: idempotent ones any broker, transactional ones the coordinator of their id, with the next
 * epoch (Kafka: `KafkaApis.handleInitProducerIdRequest`).
 */
export function initProducerIdHandler(
  producerIds: ProducerIds,
  transactions: Pick<TransactionCoordinator, 'initProducerId'>,
): ApiHandler<typeof InitProducerId> {
  return {
    api: InitProducerId,
    versions: InitProducerId.versions,
    async handle(request, context) {
      const { producerId, producerEpoch, transactionalId } = request;
      if ((producerId === NONE) !== (producerEpoch === NONE)) return answer(failure(ErrorCode.INVALID_REQUEST));
      const given =
        transactionalId === null
          ? generate(producerIds)
          : transactions.initProducerId({
              transactionalId,
              timeoutMs: request.transactionTimeoutMs,
              expected: expectedBy(request),
            });
      context.park();
      const { errorCode, ...result } = await given;
      return answer({ ...result, errorCode: fencingCode(errorCode, context.apiVersion >= FIRST_WITH_FENCED) });
    },
  };
}

async function generate(producerIds: ProducerIds): Promise<InitResult> {
  const producerId = await producerIds.generate();
  // Not REQUEST_TIMED_OUT: old clients would take that for final.
  if (producerId === null) return failure(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
  return { errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
}

function expectedBy({ producerId, producerEpoch }: Request): { producerId: number; producerEpoch: number } | null {
  return producerId === NONE ? null : { producerId, producerEpoch };
}

function failure(errorCode: ErrorCode): InitResult {
  return { errorCode, producerId: NONE, producerEpoch: NONE };
}

function answer(result: InitResult): Response {
  return { throttleTimeMs: 0, ...result };
}

import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { InitProducerId } from '../../shared/protocol/messages/init-producer-id.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { ProducerIds } from '../transaction/producer-ids.ts';

type Request = RequestOf<typeof InitProducerId>;
type Response = ResponseInput<typeof InitProducerId>;

const NONE = -1;

/** Gives idempotent producers their ids. Transactional ones need a coordinator, and there is none. */
export function initProducerIdHandler(producerIds: ProducerIds): ApiHandler<typeof InitProducerId> {
  return {
    api: InitProducerId,
    versions: InitProducerId.versions,
    async handle(request, context) {
      const refusal = refuse(request);
      if (refusal !== ErrorCode.NONE) return failure(refusal);
      context.park();
      const producerId = await producerIds.generate();
      // Not REQUEST_TIMED_OUT: old clients would take that for final.
      if (producerId === null) return failure(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS);
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, producerId, producerEpoch: 0 };
    },
  };
}

/** Kafka: `KafkaApis.handleInitProducerIdRequest`, `TransactionCoordinator.handleInitProducerId`. */
function refuse({ transactionalId, producerId, producerEpoch }: Request): ErrorCode {
  if ((producerId === NONE) !== (producerEpoch === NONE)) return ErrorCode.INVALID_REQUEST;
  if (transactionalId === null) return ErrorCode.NONE;
  return transactionalId === '' ? ErrorCode.INVALID_REQUEST : ErrorCode.COORDINATOR_NOT_AVAILABLE;
}

function failure(errorCode: ErrorCode): Response {
  return { throttleTimeMs: 0, errorCode, producerId: NONE, producerEpoch: NONE };
}

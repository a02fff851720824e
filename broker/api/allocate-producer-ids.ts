import { AllocateProducerIds } from '../../shared/protocol/messages/allocate-producer-ids.ts';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from '../request/handler.ts';

/** A broker asks the controller for a block of producer ids (KIP-730). */
export function allocateProducerIdsHandler(controller: Controller): ApiHandler<typeof AllocateProducerIds> {
  return {
    api: AllocateProducerIds,
    versions: AllocateProducerIds.versions,
    interBroker: true,
    handle: (request, context) => {
      context.park();
      return controller.allocateProducerIds(request);
    },
  };
}

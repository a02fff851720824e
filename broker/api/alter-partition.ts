import { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from '../request/handler.ts';

/** A leader asks the controller to commit an ISR change (KIP-497). */
export function alterPartitionHandler(controller: Controller): ApiHandler<typeof AlterPartition> {
  return {
    api: AlterPartition,
    versions: AlterPartition.versions,
    interBroker: true,
    handle: (request, context) => {
      context.park();
      return controller.alterPartition(request, context.apiVersion);
    },
  };
}

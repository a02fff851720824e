import { ControlledShutdown } from '../../shared/protocol/messages/controlled-shutdown.ts';
import type { Controller } from '../controller/controller.ts';
import type { ApiHandler } from '../request/handler.ts';

/** A broker that is about to stop asks the controller to move its leaderships away. */
export function controlledShutdownHandler(controller: Controller): ApiHandler<typeof ControlledShutdown> {
  return {
    api: ControlledShutdown,
    versions: ControlledShutdown.versions,
    interBroker: true,
    handle: (request, context) => {
      context.park();
      return controller.controlledShutdown(request);
    },
  };
}

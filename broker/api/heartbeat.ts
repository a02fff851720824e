import { Heartbeat } from '../../shared/protocol/messages/heartbeat.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';

/** A member is alive, and hears whether it has to join again. */
export function heartbeatHandler(groups: GroupCoordinator): ApiHandler<typeof Heartbeat> {
  return {
    api: Heartbeat,
    versions: Heartbeat.versions,
    handle: request => ({ throttleTimeMs: 0, errorCode: groups.heartbeat(request) }),
  };
}

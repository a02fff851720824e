import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/** The controller says which partitions this broker leads and which it follows. */
export function leaderAndIsrHandler(replicas: ReplicaManager): ApiHandler<typeof LeaderAndIsr> {
  return {
    api: LeaderAndIsr,
    versions: LeaderAndIsr.versions,
    interBroker: true,
    handle: (request, context) => replicas.applyLeaderAndIsr(request, context.apiVersion),
  };
}

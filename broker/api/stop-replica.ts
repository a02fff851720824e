import { StopReplica } from '../../shared/protocol/messages/stop-replica.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/** The controller tells this broker to stop, and perhaps delete, replicas. */
export function stopReplicaHandler(replicas: ReplicaManager): ApiHandler<typeof StopReplica> {
  return {
    api: StopReplica,
    versions: StopReplica.versions,
    interBroker: true,
    handle: request => replicas.stopReplicas(request),
  };
}

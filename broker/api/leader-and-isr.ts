import { LeaderAndIsr } from '../../shared/protocol/messages/leader-and-isr.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/**
 * The controller says which partitions this broker leads and which it follows.
 * @param loadNewTopics reads the settings of topics that are new here, before their logs are made with them
 */
export function leaderAndIsrHandler(
  replicas: ReplicaManager,
  loadNewTopics: (topics: Iterable<string>) => Promise<void>,
): ApiHandler<typeof LeaderAndIsr> {
  return {
    api: LeaderAndIsr,
    versions: LeaderAndIsr.versions,
    interBroker: true,
    async handle(request, context) {
      const { topicStates, ungroupedPartitionStates } = request;
      await loadNewTopics([...topicStates, ...ungroupedPartitionStates].map(({ topicName }) => topicName));
      return replicas.applyLeaderAndIsr(request, context.apiVersion);
    },
  };
}

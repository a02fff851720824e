import { OffsetForLeaderEpoch } from '../../shared/protocol/messages/offset-for-leader-epoch.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Tells followers and consumers where a leader epoch ended, so that they find where their history parts from the leader's. */
export function offsetForLeaderEpochHandler(replicas: ReplicaManager): ApiHandler<typeof OffsetForLeaderEpoch> {
  return {
    api: OffsetForLeaderEpoch,
    versions: OffsetForLeaderEpoch.versions,
    handle: request => ({
      throttleTimeMs: 0,
      topics: request.topics.map(({ topic, partitions }) => ({
        topic,
        partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => ({
          partition,
          ...replicas.offsetForLeaderEpoch(topic, partition, currentLeaderEpoch, leaderEpoch),
        })),
      })),
    }),
  };
}

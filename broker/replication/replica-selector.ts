import type { Clock } from '../../shared/runtime/clock.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ChooseReadReplica } from './fetch.ts';

/** A replica from which a consumer may read. */
export interface ReadableReplica {
  readonly brokerId: number;
  readonly rack: string | null;
  readonly logEndOffset: number;
  /** Milliseconds since it was last caught up. */
  readonly lagMs: number;
}

/** Chooses among the leader and the followers that have what a consumer wants to read. */
export type ReplicaSelector = (
  clientRack: string,
  leader: ReadableReplica,
  followers: readonly ReadableReplica[],
) => ReadableReplica;

const leaderOnly: ReplicaSelector = (_clientRack, leader) => leader;

/**
 * A replica in the client's rack: the leader if it is there, else the one that has most records, then the one that was
 * caught up last (Kafka: `RackAwareReplicaSelector`, KIP-392).
 */
export const rackAware: ReplicaSelector = (clientRack, leader, followers) => {
  if (clientRack === '' || leader.rack === clientRack) return leader;
  const near = followers.filter(({ rack }) => rack === clientRack);
  return (
    near.reduce<ReadableReplica | null>(
      (best, replica) => (best === null || isBetter(replica, best) ? replica : best),
      null,
    ) ?? leader
  );
};

function isBetter(a: ReadableReplica, b: ReadableReplica): boolean {
  if (a.logEndOffset !== b.logEndOffset) return a.logEndOffset > b.logEndOffset;
  return a.lagMs === b.lagMs ? a.brokerId > b.brokerId : a.lagMs < b.lagMs;
}

/** The selectors of Kafka, by the class that `replica.selector.class` names. */
export const REPLICA_SELECTORS = {
  'org.apache.kafka.common.replica.LeaderSelector': leaderOnly,
  'org.apache.kafka.common.replica.RackAwareReplicaSelector': rackAware,
} as const;

interface Surroundings {
  readonly brokerId: number;
  readonly metadata: MetadataCache;
  readonly clock: Clock;
}

/** Has consumers of partitions led here read where the selector says (Kafka: `ReplicaManager.findPreferredReadReplica`). */
export function readReplicaChoice(
  select: ReplicaSelector,
  { brokerId, metadata, clock }: Surroundings,
): ChooseReadReplica {
  return (partition, clientRack, fetchOffset) => {
    const { leadership, log } = partition;
    if (leadership === null || log === null || clientRack === '') return null;
    const racks = new Map(metadata.aliveBrokers().map(({ id, rack }) => [id, rack]));
    const now = clock.monotonic();
    const followers = leadership
      .inSyncFollowersAt(fetchOffset)
      .filter(follower => racks.has(follower.brokerId))
      .map(follower => ({
        brokerId: follower.brokerId,
        rack: racks.get(follower.brokerId)!,
        logEndOffset: follower.logEndOffset,
        lagMs: follower.lagMs(now),
      }));
    const leader = { brokerId, rack: racks.get(brokerId) ?? null, logEndOffset: log.logEndOffset, lagMs: 0 };
    const chosen = select(clientRack, leader, followers);
    return chosen === leader ? null : chosen.brokerId;
  };
}

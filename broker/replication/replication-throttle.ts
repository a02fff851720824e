import type { TopicConfigValues } from '../../shared/topics/topic-config.ts';
import type { Partition } from './partition.ts';
import type { ReplicationQuota } from './replication-quota.ts';

type ThrottledReplicasKey = 'leader.replication.throttled.replicas' | 'follower.replication.throttled.replicas';

/**
 * Holds the copying of some replicas back, those that a reassignment moves, so that the others and the clients keep the
 * network (KIP-73). Replicas in sync are never held back: their producers would wait, and they would leave the ISR. What
 * they get counts all the same.
 */
export class ReplicationThrottle {
  readonly #quota: ReplicationQuota;
  readonly #key: ThrottledReplicasKey;
  readonly #brokerId: number;

  /** @param key the topic setting that names the replicas: of this broker as a leader, or as a follower */
  constructor(quota: ReplicationQuota, key: ThrottledReplicasKey, brokerId: number) {
    this.#quota = quota;
    this.#key = key;
    this.#brokerId = brokerId;
  }

  /** Whether any replica may be held back: there is a limit. */
  get isActive(): boolean {
    return this.#quota.isLimited;
  }

  /** Whether the partition is to wait if its follower is out of sync. */
  holdsBack(partition: Partition): boolean {
    return this.isActive && this.#isNamed(partition) && this.#quota.isExceeded;
  }

  /** Bytes of the partition have been copied. */
  copied(partition: Partition, bytes: number): void {
    if (bytes > 0 && this.isActive && this.#isNamed(partition)) this.#quota.record(bytes);
  }

  #isNamed({ log, partition }: Partition): boolean {
    return log !== null && isNamed(log.config, this.#key, partition, this.#brokerId);
  }
}

/** Whether the list has `*`, or `partition:broker`. */
function isNamed(config: TopicConfigValues, key: ThrottledReplicasKey, partition: number, brokerId: number): boolean {
  const replicas = config[key];
  if (replicas.length === 0) return false;
  return replicas[0] === '*' || replicas.includes(`${partition}:${brokerId}`);
}

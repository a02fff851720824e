import type { ResponseOf } from '../../shared/protocol/api.ts';
import type { Metadata } from '../../shared/protocol/messages/metadata.ts';
import type { Address } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';

export interface BrokerInfo extends Address {
  readonly id: number;
  readonly rack: string | null;
}

export interface PartitionInfo {
  readonly topic: string;
  readonly partition: number;
  /** -1 while there is none. */
  readonly leader: number;
  /** -1 when the broker did not say. */
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
}

export interface TopicInfo {
  readonly name: string;
  /** 22-character id; zeros from brokers that do not know topic ids. */
  readonly topicId: string;
  readonly isInternal: boolean;
  /** By ascending partition number. */
  readonly partitions: readonly PartitionInfo[];
}

/** The cluster as Metadata responses described it so far. */
export class ClusterView {
  clusterId: string | null = null;
  controllerId = -1;
  readonly brokers = new Map<number, BrokerInfo>();
  readonly topics = new Map<string, TopicInfo>();

  /** Takes a response over; returns the error code of each topic that had one. */
  apply(response: ResponseOf<typeof Metadata>): Map<string, number> {
    this.clusterId = response.clusterId;
    this.controllerId = response.controllerId;
    if (response.brokers.length > 0) this.brokers.clear();
    for (const { nodeId, host, port, rack } of response.brokers)
      this.brokers.set(nodeId, { id: nodeId, host, port, rack });
    const errors = new Map<string, number>();
    for (const topic of response.topics) {
      if (topic.name === null) continue;
      if (topic.errorCode === ErrorCode.NONE) this.#put(topic.name, topic);
      else {
        errors.set(topic.name, topic.errorCode);
        this.topics.delete(topic.name);
      }
    }
    return errors;
  }

  #put(name: string, topic: ResponseOf<typeof Metadata>['topics'][number]): void {
    const known = this.topics.get(name);
    const partitions = topic.partitions
      .map((p): PartitionInfo => ({
        topic: name,
        partition: p.partitionIndex,
        leader: p.leaderId,
        leaderEpoch: p.leaderEpoch,
        replicas: p.replicaNodes,
        isr: p.isrNodes,
        offlineReplicas: p.offlineReplicas,
      }))
      .sort((a, b) => a.partition - b.partition)
      .map(fresh => newer(fresh, known?.topicId === topic.topicId ? known.partitions[fresh.partition] : undefined));
    this.topics.set(name, { name, topicId: topic.topicId, isInternal: topic.isInternal, partitions });
  }

  partition(topic: string, partition: number): PartitionInfo | null {
    return this.topics.get(topic)?.partitions[partition] ?? null;
  }
}

/** A broker that lags behind may answer with an older leader than is known already (KIP-320): the newer epoch stays. */
function newer(fresh: PartitionInfo, known: PartitionInfo | undefined): PartitionInfo {
  return known !== undefined && fresh.leaderEpoch !== -1 && fresh.leaderEpoch < known.leaderEpoch ? known : fresh;
}

import { ZERO_UUID } from '../../shared/protocol/schema.ts';

/** A partition as `kafka-topics --describe` shows it. */
export interface DescribedPartition {
  readonly topic: string;
  readonly partition: number;
  /** null when there is none. */
  readonly leader: number | null;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly adding?: readonly number[];
  readonly removing?: readonly number[];
}

export interface DescribedTopic {
  readonly name: string;
  /** null, or all zeros, for a topic without id. */
  readonly topicId: string | null;
  readonly partitions: readonly DescribedPartition[];
  /** `name=value`, in the order to be shown. */
  readonly configs: readonly string[];
  readonly markedForDeletion?: boolean;
}

/** How many replicas it has apart from those that a reassignment is adding. */
export function replicationFactor({ replicas, adding = [] }: DescribedPartition): number {
  return replicas.length - adding.length;
}

/** The header line. Scripts look for its tabs and colons: they are Kafka's. */
export function topicLine(topic: DescribedTopic): string {
  return [
    `Topic: ${topic.name}`,
    ...(topic.topicId === null || topic.topicId === ZERO_UUID ? [] : [`TopicId: ${topic.topicId}`]),
    `PartitionCount: ${topic.partitions.length}`,
    `ReplicationFactor: ${topic.partitions[0] === undefined ? 0 : replicationFactor(topic.partitions[0])}`,
    `Configs: ${topic.configs.join(',')}`,
    ...(topic.markedForDeletion ? ['MarkedForDeletion: true'] : []),
  ].join('\t');
}

/** @param withElr whether to end with the columns that 3.8 added (`N/A` from brokers that have no such thing) */
export function partitionLine(partition: DescribedPartition, withElr: boolean, markedForDeletion = false): string {
  const reassigning = (partition.adding?.length ?? 0) + (partition.removing?.length ?? 0) > 0;
  return [
    '',
    `Topic: ${partition.topic}`,
    `Partition: ${partition.partition}`,
    `Leader: ${partition.leader ?? 'none'}`,
    `Replicas: ${partition.replicas.join(',')}`,
    `Isr: ${partition.isr.join(',')}`,
    ...(reassigning
      ? [`Adding Replicas: ${partition.adding!.join(',')}`, `Removing Replicas: ${partition.removing!.join(',')}`]
      : []),
    ...(withElr ? ['Elr: N/A', 'LastKnownElr: N/A'] : []),
    ...(markedForDeletion ? ['MarkedForDeletion: true'] : []),
  ].join('\t');
}

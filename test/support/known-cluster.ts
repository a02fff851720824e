import { BrokerConfig } from '../../broker/config/broker-config.ts';
import { MetadataCache, type PartitionMetadata } from '../../broker/metadata/metadata-cache.ts';

/** A broker's configuration with these settings and otherwise the defaults. */
export function brokerConfig(settings: Readonly<Record<string, string>> = {}): BrokerConfig {
  const text = Object.entries({ 'zookeeper.connect': 'z:1', listeners: 'PLAINTEXT://h:9092', ...settings })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
  return BrokerConfig.load({ text });
}

export interface KnownPartition {
  readonly topic: string;
  readonly partition: number;
  readonly leader: number;
  readonly replicas?: readonly number[];
  readonly isr?: readonly number[];
}

/** A metadata cache that has heard of these brokers (on listener PLAINTEXT, at h<id>:9092) and partitions. */
export function knownCluster(brokerIds: readonly number[], partitions: readonly KnownPartition[] = []): MetadataCache {
  const cache = new MetadataCache();
  cache.apply({
    controllerId: brokerIds[0] ?? -1,
    brokers: brokerIds.map(id => ({
      id,
      rack: null,
      endpoints: [{ listenerName: 'PLAINTEXT', securityProtocol: 'PLAINTEXT', host: `h${id}`, port: 9092 }],
    })),
    topics: partitions.map(known => ({ topic: known.topic, topicId: null, partitions: [partitionMetadata(known)] })),
  });
  return cache;
}

export function partitionMetadata({
  topic,
  partition,
  leader,
  replicas = brokersOf(leader),
  isr = replicas,
}: KnownPartition): PartitionMetadata {
  return {
    topic,
    partition,
    controllerEpoch: 1,
    leader,
    leaderEpoch: 0,
    isr,
    partitionEpoch: 0,
    replicas,
    offlineReplicas: [],
  };
}

function brokersOf(leader: number): number[] {
  return leader < 0 ? [] : [leader];
}

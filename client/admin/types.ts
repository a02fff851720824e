import type { TopicPartition } from '../../shared/topics/topic-partition.ts';

export interface NewTopic {
  readonly name: string;
  /** Default: the cluster's. */
  readonly partitions?: number;
  readonly replicationFactor?: number;
  /** Replicas of each partition, instead of the two counts. */
  readonly assignment?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

/** A topic as it was created, or would be. */
export interface CreatedTopic {
  readonly name: string;
  /** 22-character id; zeros from a check that creates nothing, and from brokers that do not know topic ids. */
  readonly topicId: string;
  /** -1 when the broker did not say; so too the replication factor. */
  readonly partitions: number;
  readonly replicationFactor: number;
  /** All its settings, without synonyms. */
  readonly configs: readonly ConfigEntry[];
}

export type ResourceType = 'topic' | 'broker' | 'broker-logger';

export interface ConfigResource {
  readonly type: ResourceType;
  /** Topic name, broker id as text (of a broker, or of the broker that has the loggers), or '' for the default of all brokers. */
  readonly name: string;
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

export type ConfigSource =
  | 'UNKNOWN'
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'
  | 'DYNAMIC_BROKER_LOGGER_CONFIG';

export interface ConfigEntry {
  readonly name: string;
  /** null when it is sensitive, or has no value. */
  readonly value: string | null;
  readonly source: ConfigSource;
  readonly isSensitive: boolean;
  readonly isReadOnly: boolean;
  readonly synonyms: readonly ConfigSynonym[];
}

export interface ConfigChange {
  readonly name: string;
  readonly operation: 'set' | 'delete' | 'append' | 'subtract';
  readonly value?: string;
}

export interface ElectionOutcome extends TopicPartition {
  readonly error: Error | null;
}

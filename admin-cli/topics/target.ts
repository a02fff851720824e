import type { TopicsOptions } from '../kafka-topics.ts';

export interface TopicsArguments {
  readonly configs: Readonly<Record<string, string>>;
  /** Replicas by partition, or null when none were given. */
  readonly assignment: readonly (readonly number[])[] | null;
}

/** Where kafka-topics works: at the brokers, or at ZooKeeper directly. */
export interface TopicsTarget {
  run(action: 'list' | 'create' | 'describe' | 'alter' | 'delete', options: TopicsOptions, given: TopicsArguments): Promise<void>;
  close(): Promise<void>;
}

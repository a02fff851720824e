import type { TopicsAction, TopicsOptions } from './options.ts';

export interface TopicsArguments {
  readonly configs: Readonly<Record<string, string>>;
  /** Replicas by partition, or null when none were given. */
  readonly assignment: readonly (readonly number[])[] | null;
}

/** Where kafka-topics works: at the brokers, or at ZooKeeper directly. */
export interface TopicsTarget {
  run(action: TopicsAction, options: TopicsOptions, given: TopicsArguments): Promise<void>;
  close(): Promise<void>;
}

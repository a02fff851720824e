import type { Cluster } from '../../cluster/cluster.ts';
import type { PartitionCounts } from '../assignors/assignor.ts';
import { topicsOf, type Wanted } from './subscription.ts';

export interface TopicWatchSettings {
  readonly metadataMaxAgeMs: number;
  readonly excludeInternalTopics: boolean;
}

/**
 * Notices what makes an assignment out of date: a pattern matches other topics, or topics that this member has shared out
 * have other partition counts. It looks every metadata.max.age.ms, and at each chance while a wanted topic is missing.
 */
export class TopicWatch {
  readonly #cluster: Cluster;
  readonly #wanted: Wanted;
  readonly #settings: TopicWatchSettings;
  #topics: readonly string[] = [];
  #led: PartitionCounts | null = null;
  #ledTopics: readonly string[] = [];
  #counted: readonly string[] = [];
  #lookedAt = 0;

  constructor(cluster: Cluster, wanted: Wanted, settings: TopicWatchSettings) {
    this.#cluster = cluster;
    this.#wanted = wanted;
    this.#settings = settings;
  }

  /** What this member has joined with. */
  wants(topics: readonly string[]): void {
    this.#topics = topics;
    this.#lookedAt = this.#cluster.runtime.clock.monotonic();
  }

  /** What this member has shared out as the leader; null: it is not the leader. */
  leads(counts: PartitionCounts | null): void {
    this.#led = counts;
    this.#ledTopics = counts === null ? [] : this.#counted;
  }

  /** Partition counts of these topics as the cluster tells them now; those that it does not know are missing. */
  async count(topics: readonly string[]): Promise<PartitionCounts> {
    this.#counted = topics;
    if (topics.length === 0) return new Map();
    const infos = await this.#cluster.describeTopics(topics);
    return new Map(infos.map(({ name, partitions }) => [name, partitions.length]));
  }

  async hasChanged(): Promise<boolean> {
    const { clock } = this.#cluster.runtime;
    const isMissing = this.#led !== null && this.#led.size < this.#ledTopics.length;
    if (!isMissing && clock.monotonic() - this.#lookedAt < this.#settings.metadataMaxAgeMs) return false;
    this.#lookedAt = clock.monotonic();
    const topics = await topicsOf(this.#wanted, this.#cluster, !this.#settings.excludeInternalTopics);
    if (topics.join() !== this.#topics.join()) return true;
    if (this.#led === null) return false;
    const before = this.#led;
    const counts = await this.count(this.#ledTopics);
    return counts.size !== before.size || [...counts].some(([topic, count]) => before.get(topic) !== count);
  }
}

import type { Cluster } from '../../cluster/cluster.ts';
import type { TopicInfo } from '../../cluster/cluster-view.ts';
import type { PartitionCounts, PartitionRacks } from '../assignors/assignor.ts';
import { topicsOf, type Wanted } from './subscription.ts';

export interface TopicWatchSettings {
  readonly metadataMaxAgeMs: number;
  readonly excludeInternalTopics: boolean;
  /** '': the member does not mind where replicas are. */
  readonly clientRack: string;
}

/** What an assignment is made of; topics that the cluster does not know are missing. */
export interface TopicShapes {
  readonly counts: PartitionCounts;
  readonly racks: PartitionRacks;
}

/**
 * Notices what makes an assignment out of date: a pattern matches other topics, or topics that this member has shared out
 * have other partition counts, or replicas in other racks (KIP-881). It looks every metadata.max.age.ms, and at each chance while a wanted topic is missing.
 */
export class TopicWatch {
  readonly #cluster: Cluster;
  readonly #wanted: Wanted;
  readonly #settings: TopicWatchSettings;
  #topics: readonly string[] = [];
  #led: TopicShapes | null = null;
  #ledTopics: readonly string[] = [];
  #seen: readonly string[] = [];
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
  leads(shapes: TopicShapes | null): void {
    this.#led = shapes;
    this.#ledTopics = shapes === null ? [] : this.#seen;
  }

  /** These topics as the cluster tells of them now. */
  async look(topics: readonly string[]): Promise<TopicShapes> {
    this.#seen = topics;
    const infos = topics.length === 0 ? [] : await this.#cluster.describeTopics(topics);
    const rackOf = new Map(this.#cluster.brokers().map(({ id, rack }) => [id, rack]));
    return {
      counts: new Map(infos.map(({ name, partitions }) => [name, partitions.length])),
      racks: new Map(infos.map(topic => [topic.name, racksOf(topic, rackOf)])),
    };
  }

  async hasChanged(): Promise<boolean> {
    const { clock } = this.#cluster.runtime;
    const isMissing = this.#led !== null && this.#led.counts.size < this.#ledTopics.length;
    if (!isMissing && clock.monotonic() - this.#lookedAt < this.#settings.metadataMaxAgeMs) return false;
    this.#lookedAt = clock.monotonic();
    const topics = await topicsOf(this.#wanted, this.#cluster, !this.#settings.excludeInternalTopics);
    if (topics.join() !== this.#topics.join()) return true;
    if (this.#led === null) return false;
    const before = this.#led;
    const now = await this.look(this.#ledTopics);
    const areCounted = now.counts.size === before.counts.size;
    if (!areCounted || [...now.counts].some(([topic, count]) => before.counts.get(topic) !== count)) return true;
    return (
      this.#settings.clientRack !== '' &&
      [...now.racks].some(([topic, racks]) => differ(racks, before.racks.get(topic)!))
    );
  }
}

type Racks = readonly ReadonlySet<string>[];

function racksOf({ partitions }: TopicInfo, rackOf: ReadonlyMap<number, string | null>): Racks {
  return partitions.map(
    ({ replicas }) => new Set(replicas.map(id => rackOf.get(id) ?? null).filter(rack => rack !== null)),
  );
}

/** Of as many partitions. */
function differ(some: Racks, others: Racks): boolean {
  return some.some((racks, partition) => {
    const other = others[partition]!;
    return racks.size !== other.size || [...racks].some(rack => !other.has(rack));
  });
}

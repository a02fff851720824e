import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { AssignorMember } from './assignor.ts';

/** Puts partitions into the hands of a member. */
export type Give = (memberId: string, partitions: readonly TopicPartition[]) => void;

/** One topic while it is shared out by range: what is left of it, and how much each member may still get. */
export class RangeShare {
  readonly topic: string;
  readonly count: number;
  /** Who wants the topic, in member order. */
  readonly takers: readonly AssignorMember[];
  /** By partition, the racks of its replicas; empty where no taker tells its rack. */
  readonly #racks: readonly ReadonlySet<string>[];
  readonly #left: Set<number>;
  readonly #given = new Map<string, number>();
  readonly #least: number;
  /** How many members may still get one more than the least. */
  #extras: number;

  constructor(topic: string, count: number, takers: readonly AssignorMember[], racks: readonly ReadonlySet<string>[]) {
    this.topic = topic;
    this.count = count;
    this.takers = takers;
    this.#racks = takers.some(({ rackId }) => rackId !== null) ? racks : [];
    this.#left = new Set(Array.from({ length: count }, (_, partition) => partition));
    this.#least = Math.floor(count / takers.length);
    this.#extras = count % takers.length;
  }

  /** Whether racks are known at all. */
  get hasRacks(): boolean {
    return this.#racks.length > 0;
  }

  /**
   * Whether it makes a difference who gets which partition: a member is in the rack of some replica, and not every partition
   * has replicas in all racks (Kafka: `useRackAwareAssignment`).
   */
  get needsRacks(): boolean {
    const all = new Set(this.#racks.flatMap(racks => [...racks]));
    const isNear = this.takers.some(({ rackId }) => rackId !== null && all.has(rackId));
    return isNear && this.#racks.some(racks => racks.size < all.size);
  }

  /** Whether the member can read the partition in its own rack; one that does not tell its rack is near to all. */
  isNear({ rackId }: AssignorMember, partition: number): boolean {
    return rackId === null || (this.#racks[partition]?.has(rackId) ?? false);
  }

  /** How many partitions more the member may get. */
  room({ memberId }: AssignorMember): number {
    const most = this.#least + (this.#extras > 0 ? 1 : 0);
    return Math.max(0, most - (this.#given.get(memberId) ?? 0));
  }

  /** Member by member, the first partitions that are left and that it may have, as far as it has room for them. */
  giveRanges(mayHave: (member: AssignorMember, partition: number) => boolean, give: Give): void {
    for (const member of this.takers) {
      const partitions = [...this.#left].filter(partition => mayHave(member, partition)).slice(0, this.room(member));
      if (partitions.length > 0) this.give(member, partitions, give);
    }
  }

  give({ memberId }: AssignorMember, partitions: readonly number[], give: Give): void {
    const given = (this.#given.get(memberId) ?? 0) + partitions.length;
    this.#given.set(memberId, given);
    if (given > this.#least) this.#extras--;
    for (const partition of partitions) this.#left.delete(partition);
    give(
      memberId,
      partitions.map(partition => ({ topic: this.topic, partition })),
    );
  }
}

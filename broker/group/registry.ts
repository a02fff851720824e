import type { Clock } from '../../shared/runtime/clock.ts';
import { Group } from './group.ts';

interface OwnedPartition {
  isLoading: boolean;
  readonly groups: Map<string, Group>;
  /** Groups in which a producer's open transaction has committed offsets, by its id. */
  readonly inTransactions: Map<number, Set<Group>>;
  /** Markers that came while it was loaded: it may have been read up to before them. */
  readonly endedMeanwhile: { readonly producerId: number; readonly isCommit: boolean }[];
}

/** Whether the groups of a partition are here. */
export type Ownership = 'elsewhere' | 'loading' | 'here';

/** The groups that this broker coordinates: those of the partitions of `__consumer_offsets` that it leads. */
export class GroupRegistry {
  readonly #partitionOf: (groupId: string) => number;
  readonly #clock: Clock;
  readonly #partitions = new Map<number, OwnedPartition>();

  constructor(partitionOf: (groupId: string) => number, clock: Clock) {
    this.#partitionOf = partitionOf;
    this.#clock = clock;
  }

  ownership(groupId: string): Ownership {
    const partition = this.#partitions.get(this.#partitionOf(groupId));
    if (partition === undefined) return 'elsewhere';
    return partition.isLoading ? 'loading' : 'here';
  }

  get isLoading(): boolean {
    return [...this.#partitions.values()].some(({ isLoading }) => isLoading);
  }

  /** Owns a partition from now on, and loads it. */
  own(partition: number): object {
    const owned: OwnedPartition = {
      isLoading: true,
      groups: new Map(),
      inTransactions: new Map(),
      endedMeanwhile: [],
    };
    this.#partitions.set(partition, owned);
    return owned;
  }

  /** Whether what `own` returned has not been disowned, or owned anew, since. */
  isOwned(partition: number, token: object): boolean {
    return this.#partitions.get(partition) === token;
  }

  /** What is there of the partition is whole. */
  loaded(partition: number, groups: Iterable<Group>): void {
    const owned = this.#partitions.get(partition)!;
    for (const group of groups) {
      owned.groups.set(group.groupId, group);
      for (const producerId of group.offsets.transactional.producers()) enter(owned, producerId, group);
    }
    owned.isLoading = false;
    for (const { producerId, isCommit } of owned.endedMeanwhile.splice(0))
      this.endTransaction(partition, producerId, isCommit);
  }

  /** Offsets of the group are committed in the producer's transaction. Its partition must be here. */
  joinTransaction(group: Group, producerId: number): void {
    enter(this.#partitions.get(this.#partitionOf(group.groupId))!, producerId, group);
  }

  /** None are, after all. */
  leaveTransaction(group: Group, producerId: number): void {
    const inTransactions = this.#partitions.get(this.#partitionOf(group.groupId))?.inTransactions;
    const groups = inTransactions?.get(producerId);
    groups?.delete(group);
    if (groups?.size === 0) inTransactions?.delete(producerId);
  }

  /**
   * The producer's transaction is over, as far as this partition goes. While it is loaded that has to wait; nobody is
   * told anything before.
   */
  endTransaction(partition: number, producerId: number, isCommit: boolean): void {
    const owned = this.#partitions.get(partition);
    if (owned?.isLoading === true) owned.endedMeanwhile.push({ producerId, isCommit });
    else {
      for (const group of owned?.inTransactions.get(producerId) ?? [])
        group.offsets.endTransaction(producerId, isCommit);
      owned?.inTransactions.delete(producerId);
    }
  }

  /** Gives up a partition; returns the groups that were here. */
  disown(partition: number): Group[] {
    const groups = [...(this.#partitions.get(partition)?.groups.values() ?? [])];
    this.#partitions.delete(partition);
    return groups;
  }

  ownedPartitions(): number[] {
    return [...this.#partitions.keys()];
  }

  get(groupId: string): Group | null {
    return this.#partitions.get(this.#partitionOf(groupId))?.groups.get(groupId) ?? null;
  }

  /** The group, made if there is none. Its partition must be here. */
  getOrCreate(groupId: string): Group {
    const known = this.get(groupId);
    if (known !== null) return known;
    const group = new Group(groupId, this.#clock);
    this.#partitions.get(this.#partitionOf(groupId))!.groups.set(groupId, group);
    return group;
  }

  /** Removes this very group; false when it is gone, or another has its name. */
  remove(group: Group): boolean {
    const groups = this.#partitions.get(this.#partitionOf(group.groupId))?.groups;
    return groups?.get(group.groupId) === group && groups.delete(group.groupId);
  }

  all(): Group[] {
    return [...this.#partitions.values()].flatMap(({ groups }) => [...groups.values()]);
  }
}

function enter({ inTransactions }: OwnedPartition, producerId: number, group: Group): void {
  const groups = inTransactions.get(producerId);
  if (groups === undefined) inTransactions.set(producerId, new Set([group]));
  else groups.add(group);
}

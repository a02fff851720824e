import type { PartitionInfo } from '../cluster/cluster-view.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { murmur2 } from './murmur2.ts';

/**
 * Chooses the partition of a record that names none. Returns an index below `partitions.length`.
 * `partitions` is the whole topic, by ascending number; those without a leader have `leader` -1.
 */
export interface Partitioner {
  partition(topic: string, key: Buffer | null, partitions: readonly PartitionInfo[]): number;
  /** Called when a batch of the topic has been closed: a sticky partitioner moves on. */
  onNewBatch?(topic: string): void;
}

/** Hash of the key as in Java's client: murmur2, sign bit cleared, modulo the partition count. */
function byKey(key: Buffer, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}

function available(partitions: readonly PartitionInfo[]): readonly PartitionInfo[] {
  const led = partitions.filter(partition => partition.leader >= 0);
  return led.length > 0 ? led : partitions;
}

/** Keys by hash; records without key stay on one random partition until its batch is full (KIP-480). */
export class DefaultPartitioner implements Partitioner {
  readonly #random: Random;
  readonly #ignoreKeys: boolean;
  readonly #sticky = new Map<string, number>();

  constructor(random: Random, ignoreKeys = false) {
    this.#random = random;
    this.#ignoreKeys = ignoreKeys;
  }

  partition(topic: string, key: Buffer | null, partitions: readonly PartitionInfo[]): number {
    if (key !== null && !this.#ignoreKeys) return byKey(key, partitions.length);
    const current = this.#sticky.get(topic);
    if (current !== undefined && current < partitions.length) return current;
    const choices = available(partitions);
    const chosen = choices[this.#random.int(choices.length)]!.partition;
    this.#sticky.set(topic, chosen);
    return chosen;
  }

  onNewBatch(topic: string): void {
    this.#sticky.delete(topic);
  }
}

/** One record a partition, in turn, whatever the key. */
export class RoundRobinPartitioner implements Partitioner {
  readonly #next = new Map<string, number>();

  partition(topic: string, _key: Buffer | null, partitions: readonly PartitionInfo[]): number {
    const choices = available(partitions);
    const turn = this.#next.get(topic) ?? 0;
    this.#next.set(topic, (turn + 1) % choices.length);
    return choices[turn % choices.length]!.partition;
  }
}

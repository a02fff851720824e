import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { PartitionLog } from './partition-log.ts';

/** Wishes come from outside, also about partitions that do not exist: beyond this number the oldest is forgotten. */
const MAX_WISHES = 10_000;

/**
 * Logs that are being filled to take the place of a partition's current log in another log directory, and the wishes
 * about where logs are to be made (Kafka: `LogManager.futureLogs`, `preferredLogDirs`).
 */
export class FutureLogs {
  readonly #logs = new Map<string, PartitionLog>();
  /** Directories by `topic-partition`, the oldest wish first. */
  readonly #wishes = new Map<string, string>();

  get(topic: string, partition: number): PartitionLog | undefined {
    return this.#logs.get(partitionKey(topic, partition));
  }

  all(): PartitionLog[] {
    return [...this.#logs.values()];
  }

  add(log: PartitionLog): void {
    this.#logs.set(partitionKey(log.topic, log.partition), log);
  }

  remove(log: PartitionLog): void {
    const key = partitionKey(log.topic, log.partition);
    if (this.#logs.get(key) === log) this.#logs.delete(key);
  }

  clear(): void {
    this.#logs.clear();
  }

  /** Remembers in which directory the partition's log is to be, once there is one. */
  wish(topic: string, partition: number, directory: string): void {
    const key = partitionKey(topic, partition);
    this.#wishes.delete(key);
    this.#wishes.set(key, directory);
    if (this.#wishes.size <= MAX_WISHES) return;
    for (const oldest of this.#wishes.keys()) {
      this.#wishes.delete(oldest);
      return;
    }
  }

  /** The directory wished for, forgetting it. */
  takeWish(topic: string, partition: number): string | undefined {
    const key = partitionKey(topic, partition);
    const directory = this.#wishes.get(key);
    this.#wishes.delete(key);
    return directory;
  }
}

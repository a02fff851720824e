import type { CommittedOffset } from './offset.ts';
import { OffsetTable } from './offset-table.ts';

/** The committed offsets of one group, by topic and partition, and where their records lie in the log. */
export class LoggedOffsets {
  readonly #topics = new Map<string, OffsetTable>();

  get isEmpty(): boolean {
    return this.#topics.size === 0;
  }

  get size(): number {
    let size = 0;
    for (const offsets of this.#topics.values()) size += offsets.size;
    return size;
  }

  get(topic: string, partition: number): CommittedOffset | null {
    return this.#topics.get(topic)?.get(partition) ?? null;
  }

  /** Where the record of a partition's offset lies; -1: it has none. */
  recordOffset(topic: string, partition: number): number {
    return this.#topics.get(topic)?.recordOffset(partition) ?? -1;
  }

  /** Copies what is committed. */
  set(topic: string, partition: number, committed: CommittedOffset, recordOffset: number): void {
    let offsets = this.#topics.get(topic);
    if (offsets === undefined) this.#topics.set(topic, (offsets = new OffsetTable()));
    offsets.set(partition, committed, recordOffset);
  }

  delete(topic: string, partition: number): void {
    const offsets = this.#topics.get(topic);
    offsets?.delete(partition);
    if (offsets?.size === 0) this.#topics.delete(topic);
  }

  *entries(): Generator<[string, number, CommittedOffset]> {
    for (const [topic, offsets] of this.#topics)
      for (const partition of offsets.partitions()) yield [topic, partition, offsets.get(partition)!];
  }
}

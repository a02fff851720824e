import type { Commands, GroupRecord } from '../matrix/foreign-client.ts';

/** Between a client that brings records when it has some, and a driver that is asked for them. */
export class Inbox {
  #partitions: readonly number[] = [];
  #records: GroupRecord[] = [];
  /** By partition, the offset behind the last record that was given. */
  readonly #given = new Map<number, number>();
  #arrived: () => void = () => {};

  /** The member's share is this. */
  holds(partitions: Iterable<number>): void {
    this.#partitions = [...partitions].sort((a, b) => a - b);
  }

  isMine(partition: number): boolean {
    return this.#partitions.includes(partition);
  }

  /** The share is another one: what belongs to others now must be neither given nor committed. */
  assigned(partitions: Iterable<number>): void {
    this.holds(partitions);
    this.#records = this.#records.filter(({ partition }) => this.isMine(partition));
    for (const partition of this.#given.keys()) if (!this.isMine(partition)) this.#given.delete(partition);
  }

  put(record: GroupRecord): void {
    this.#records.push(record);
    this.#arrived();
  }

  async poll(waitMs: number): Promise<Commands['poll'][1]> {
    if (this.#records.length === 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, waitMs);
        this.#arrived = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const records = this.#records;
    this.#records = [];
    for (const { partition, offset } of records) this.#given.set(partition, offset + 1);
    return { partitions: this.#partitions, records };
  }

  /** What is to be committed: for each partition the offset of the record that comes next. */
  takeGiven(): { readonly partition: number; readonly next: number }[] {
    const given = [...this.#given].map(([partition, next]) => ({ partition, next }));
    this.#given.clear();
    return given;
  }
}

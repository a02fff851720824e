import type { Segment } from './segment.ts';

/** A log's segments by ascending base offset. There is always at least one; the last is the active one. */
export class Segments {
  #list: Segment[];

  /** @param list at least one, by ascending base offset */
  constructor(list: readonly Segment[]) {
    this.#list = [...list];
  }

  get all(): readonly Segment[] {
    return this.#list;
  }

  get first(): Segment {
    return this.#list[0]!;
  }

  get active(): Segment {
    return this.#list.at(-1)!;
  }

  /** Bytes of all `.log` files. */
  get size(): number {
    return this.#list.reduce((sum, segment) => sum + segment.size, 0);
  }

  /** The segment that may hold `offset`: the last one whose base is not above it, else the first. */
  floor(offset: number): Segment {
    return this.#list[Math.max(0, this.#floorIndex(offset))]!;
  }

  /** The segment behind `segment`, or undefined. */
  after(segment: Segment): Segment | undefined {
    return this.#list[this.#floorIndex(segment.baseOffset) + 1];
  }

  #floorIndex(offset: number): number {
    let low = 0;
    let high = this.#list.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (this.#list[middle]!.baseOffset <= offset) low = middle + 1;
      else high = middle - 1;
    }
    return high;
  }

  /** Adds the new active segment. */
  push(segment: Segment): void {
    this.#list.push(segment);
  }

  /** Takes away the `count` oldest, at least one staying. */
  removeFirst(count: number): Segment[] {
    return this.#list.splice(0, Math.min(count, this.#list.length - 1));
  }

  /** Takes away those with a base above `offset`, except that the first one stays. */
  removeAbove(offset: number): Segment[] {
    return this.#list.splice(Math.max(1, this.#floorIndex(offset) + 1));
  }

  /** Puts one segment in place of neighbours that are all there. */
  replace(former: readonly Segment[], segment: Segment): void {
    this.#list.splice(this.#list.indexOf(former[0]!), former.length, segment);
  }

  /** Puts one segment in place of all; returns the former ones. */
  replaceAll(segment: Segment): Segment[] {
    const former = this.#list;
    this.#list = [segment];
    return former;
  }
}

import type { Segment } from './segment.ts';

/** How many positions are remembered for a log. */
const CAPACITY = 32;

/** Where an entry begins. */
export interface LogPosition {
  readonly segment: Segment;
  /** Bytes from the beginning of the segment's file. */
  readonly position: number;
}

/**
 * Where the entries begin that were appended last and those at which reads ended last, by offset: sequential readers,
 * high watermarks and followers' fetch offsets are among them, so that neither reading on nor counting the bytes
 * between two of them needs a search.
 */
export class KnownPositions {
  /** Oldest first. */
  readonly #positions = new Map<number, LogPosition>();

  note(offset: number, segment: Segment, position: number): void {
    this.#positions.delete(offset);
    this.#positions.set(offset, { segment, position });
    if (this.#positions.size <= CAPACITY) return;
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest);
      return;
    }
  }

  get(offset: number): LogPosition | undefined {
    return this.#positions.get(offset);
  }

  /** Forgets everything: segments were cut or removed. */
  clear(): void {
    this.#positions.clear();
  }
}

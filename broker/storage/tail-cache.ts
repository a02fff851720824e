import { BufferPool } from '../../shared/memory/buffer-pool.ts';
import type { AnswerMemory, Releasable } from '../request/answer-memory.ts';

/** What a cached frame costs besides its bytes. */
const OVERHEAD = 200;
/** Appends share a frame of this size while they fit: a slab each would be mostly idle, or pin one of Node's own. */
const LEAST_FRAME_BYTES = 4096;
/** Share of the budget that may lie idle between two frames, for none is given up in the size that the next one needs. */
const IDLE_SHARE = 1 / 8;

/** Appended bytes that are kept in memory: whole entries with the offsets from `baseOffset` up to before `nextOffset`. */
export interface TailFrame {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Buffer;
  /** To be called before the bytes are looked at: they are then left alone until `memory` is released, or for ever. */
  lend(memory: AnswerMemory | undefined): void;
}

const NOTHING = Buffer.alloc(0);

/**
 * A frame in pooled memory, with those who look at it:
 *
 *     cached ──given up──► read on ──last reader is done──► memory back in the pool
 *        └─────given up, nobody reads─────────────────────►
 *
 * A reader that does not say when it is done (`lend` without memory) makes the frame's memory the garbage collector's.
 * While it is cached a frame grows by what is appended, behind the bytes that readers look at.
 */
class CachedFrame implements TailFrame, Releasable {
  readonly baseOffset: number;
  readonly window: TailWindow;
  /** What the frame counts against the budget. */
  readonly cost: number;
  nextOffset: number;
  bytes: Buffer = NOTHING;
  /** Neighbours in the order in which the cache gives frames up. */
  older: CachedFrame | null = null;
  newer: CachedFrame | null = null;
  readonly #pool: BufferPool;
  #slab: Buffer | null;
  #readers = 0;
  #isCached = true;

  constructor(window: TailWindow, pool: BufferPool, baseOffset: number, length: number) {
    this.window = window;
    this.baseOffset = baseOffset;
    this.nextOffset = baseOffset;
    this.#pool = pool;
    this.#slab = pool.take(Math.max(length, LEAST_FRAME_BYTES));
    this.cost = this.#slab.length + OVERHEAD;
  }

  hasRoomFor(length: number): boolean {
    return this.#slab !== null && this.bytes.length + length <= this.#slab.length;
  }

  /** Takes in a copy of what was appended up to before `nextOffset`; there has to be room for it. */
  add(nextOffset: number, buffers: readonly Buffer[]): void {
    const slab = this.#slab!;
    let at = this.bytes.length;
    for (const buffer of buffers) {
      slab.set(buffer, at);
      at += buffer.length;
    }
    this.bytes = slab.subarray(0, at);
    this.nextOffset = nextOffset;
  }

  lend(memory: AnswerMemory | undefined): void {
    if (memory === undefined) {
      this.#slab = null;
    } else {
      this.#readers++;
      memory.keep(this);
    }
  }

  /** A reader is done. */
  release(): void {
    this.#readers--;
    this.#giveBackIfOver();
  }

  /** The cache is done. */
  giveUp(): void {
    this.#isCached = false;
    this.bytes = NOTHING;
    this.#giveBackIfOver();
  }

  #giveBackIfOver(): void {
    if (this.#isCached || this.#readers > 0 || this.#slab === null) return;
    this.#pool.giveBack(this.#slab);
    this.#slab = null;
  }
}

/**
 * Memory for what was appended last, over all logs of the broker: followers and tail readers are served from it. The
 * oldest frames give way when the budget is used up.
 */
export class TailCache {
  readonly #budget: number;
  readonly #pool: BufferPool;
  #used = 0;
  #oldest: CachedFrame | null = null;
  #newest: CachedFrame | null = null;

  /**
   * @param budgetBytes memory for all frames; 0 switches the cache off
   * @param pool where the memory comes from
   */
  constructor(budgetBytes: number, pool = new BufferPool(budgetBytes * IDLE_SHARE)) {
    this.#budget = budgetBytes;
    this.#pool = pool;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** A window onto the cache for one log. */
  window(): TailWindow {
    return new TailWindow(this);
  }

  /** A frame with room for `length` bytes; null when it is too big to be worth it. */
  frame(window: TailWindow, baseOffset: number, length: number): CachedFrame | null {
    if ((Math.max(length, LEAST_FRAME_BYTES) + OVERHEAD) * 4 > this.#budget) return null;
    const frame = new CachedFrame(window, this.#pool, baseOffset, length);
    frame.older = this.#newest;
    if (this.#newest === null) this.#oldest = frame;
    else this.#newest.newer = frame;
    this.#newest = frame;
    this.#used += frame.cost;
    while (this.#used > this.#budget) {
      const oldest = this.#oldest!;
      oldest.window.evicted();
      this.release(oldest);
    }
    return frame;
  }

  /** Frees the memory of a frame that its window has given up. */
  release(frame: CachedFrame): void {
    const { older, newer } = frame;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    // A reader may hold the frame for long: not with it all that were released after it.
    frame.older = null;
    frame.newer = null;
    this.#used -= frame.cost;
    frame.giveUp();
  }
}

/** How many bytes are kept after the last read near the end before a log counts as having no tail readers. */
const INTEREST_BYTES = 8 << 20;

/**
 * The cached end of one log: frames without gaps up to the log end offset. Frames are copies, because what is appended
 * lies in buffers that belong to requests, and a copy costs less than reading the file again; but it is made only while
 * somebody reads near the end. Whoever does gets the next appends from here.
 */
export class TailWindow {
  readonly #cache: TailCache;
  #frames: CachedFrame[] = [];
  #first = 0;
  /** Bytes that may still be appended before interest is taken to be gone. */
  #interest = 0;

  constructor(cache: TailCache) {
    this.#cache = cache;
  }

  /** Notes that somebody read at the log's end. */
  noteTailRead(): void {
    this.#interest = INTEREST_BYTES;
  }

  /** Keeps a copy of what was appended, if there is interest. `length` is the sum of the buffers' lengths. */
  append(baseOffset: number, nextOffset: number, buffers: readonly Buffer[], length: number): void {
    if (this.#interest <= 0) {
      this.clear();
      return;
    }
    this.#interest -= length;
    const newest = this.#frames.at(-1);
    const frame = newest?.hasRoomFor(length) === true ? newest : this.#cache.frame(this, baseOffset, length);
    if (frame === null) {
      // What is not kept would leave a gap in front of the next append.
      this.clear();
      return;
    }
    frame.add(nextOffset, buffers);
    if (frame !== newest) this.#frames.push(frame);
  }

  /** The cache gives up the oldest frame. */
  evicted(): void {
    this.#first++;
    if (this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Gives up all frames. */
  clear(): void {
    if (this.#frames.length === 0) return;
    for (let i = this.#first; i < this.#frames.length; i++) this.#cache.release(this.#frames[i]!);
    this.#frames = [];
    this.#first = 0;
  }

  /** The offset from which on everything up to the log's end is here; Infinity when nothing is. */
  get startOffset(): number {
    return this.#frames[this.#first]?.baseOffset ?? Infinity;
  }

  /** The frames from the one that holds `offset` on; empty when it is not here. */
  from(offset: number): readonly TailFrame[] {
    if (offset < this.startOffset) return [];
    let low = this.#first;
    let high = this.#frames.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#frames[middle]!.nextOffset > offset) high = middle;
      else low = middle + 1;
    }
    return this.#frames[low]!.nextOffset > offset ? this.#frames.slice(low) : [];
  }
}

import { BufferPool } from '../../shared/memory/buffer-pool.ts';
import type { AnswerMemory, Releasable } from '../request/answer-memory.ts';

/** What a cached frame costs besides its bytes. */
const OVERHEAD = 200;
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
 */
class CachedFrame implements TailFrame, Releasable {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly window: TailWindow;
  /** What the frame counts against the budget; 0 once its window has given it up. */
  cost: number;
  bytes: Buffer;
  readonly #pool: BufferPool;
  #slab: Buffer | null;
  #readers = 0;
  #isCached = true;

  constructor(window: TailWindow, pool: BufferPool, baseOffset: number, nextOffset: number, length: number) {
    this.window = window;
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
    this.#pool = pool;
    this.#slab = pool.take(length);
    this.bytes = this.#slab.subarray(0, length);
    this.cost = this.#slab.length + OVERHEAD;
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
  /** All frames in order of appending, from `#first` on, those that their window gave up included. */
  #frames: (CachedFrame | undefined)[] = [];
  #first = 0;

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

  /** A frame for `length` bytes that the caller fills; null when it is too big to be worth it. */
  frame(window: TailWindow, baseOffset: number, nextOffset: number, length: number): CachedFrame | null {
    if ((length + OVERHEAD) * 4 > this.#budget) return null;
    const frame = new CachedFrame(window, this.#pool, baseOffset, nextOffset, length);
    this.#frames.push(frame);
    this.#used += frame.cost;
    while (this.#used > this.#budget) this.#evictOldest();
    return frame;
  }

  /** Frees the memory of a frame that its window gave up. */
  release(frame: CachedFrame): void {
    this.#used -= frame.cost;
    frame.cost = 0;
    frame.giveUp();
  }

  #evictOldest(): void {
    const oldest = this.#frames[this.#first]!;
    this.#frames[this.#first++] = undefined;
    oldest.window.evicted(oldest);
    this.release(oldest);
    if (this.#first > 1024 && this.#first * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first);
      this.#first = 0;
    }
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
    const frame = this.#cache.frame(this, baseOffset, nextOffset, length);
    if (frame === null) {
      // What is not kept would leave a gap in front of the next append.
      this.clear();
      return;
    }
    gather(buffers, frame.bytes);
    this.#frames.push(frame);
  }

  /** Called by the cache: its oldest frame is the oldest of this window, or one that the window has given up. */
  evicted(frame: TailFrame): void {
    if (this.#frames[this.#first] !== frame) return;
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

function gather(buffers: readonly Buffer[], target: Buffer): void {
  let at = 0;
  for (const buffer of buffers) {
    target.set(buffer, at);
    at += buffer.length;
  }
}

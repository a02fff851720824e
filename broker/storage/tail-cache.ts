/** What a cached frame costs besides its bytes. */
const OVERHEAD = 200;

/** Appended bytes that are kept in memory: whole entries with the offsets from `baseOffset` up to before `nextOffset`. */
export interface TailFrame {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Buffer;
}

interface CachedFrame extends TailFrame {
  readonly window: TailWindow;
  bytes: Buffer;
  /** What the frame counts against the budget; 0 once it is given up. */
  cost: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * Memory for what was appended last, over all logs of the broker: followers and tail readers are served from it. The
 * oldest frames give way when the budget is used up. Buffers are never reused, so that a reader may keep slices.
 */
export class TailCache {
  readonly #budget: number;
  #used = 0;
  /** All frames in order of appending, from `#first` on, those that their window gave up included. */
  #frames: (CachedFrame | undefined)[] = [];
  #first = 0;

  /** @param budgetBytes memory for all frames; 0 switches the cache off */
  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
  }

  get usedBytes(): number {
    return this.#used;
  }

  /** A window onto the cache for one log. */
  window(): TailWindow {
    return new TailWindow(this);
  }

  /** Takes charge of a frame, unless it is too big to be worth it. */
  add(frame: CachedFrame): boolean {
    if (frame.cost * 4 > this.#budget) return false;
    this.#frames.push(frame);
    this.#used += frame.cost;
    while (this.#used > this.#budget) this.#evictOldest();
    return true;
  }

  /** Frees the memory of a frame that its window gave up. */
  release(frame: CachedFrame): void {
    this.#used -= frame.cost;
    frame.cost = 0;
    frame.bytes = NOTHING;
  }

  #evictOldest(): void {
    const oldest = this.#frames[this.#first]!;
    this.#frames[this.#first++] = undefined;
    this.#used -= oldest.cost;
    oldest.window.evicted(oldest);
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
    const bytes = copyOf(buffers, length);
    const frame: CachedFrame = { baseOffset, nextOffset, bytes, window: this, cost: length + OVERHEAD };
    // What is not kept would leave a gap in front of the next append.
    if (this.#cache.add(frame)) this.#frames.push(frame);
    else this.clear();
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

function copyOf(buffers: readonly Buffer[], length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  let at = 0;
  for (const buffer of buffers) {
    copy.set(buffer, at);
    at += buffer.length;
  }
  return copy;
}

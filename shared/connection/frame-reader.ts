/** Reads below this many missing bytes go through the shared scratch buffer, so that one read may bring the next frames too. */
const DIRECT_READ_MIN_BYTES = 16 * 1024;

/**
 * Where every connection of the process reads when it is not in the middle of a large frame. One buffer is enough: a
 * read and its parsing happen in one synchronous step, so no two connections ever hold bytes in it at a time.
 */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);
/** Behind a large frame another one is likely: a short read brings its size, and the rest is read into its own memory. */
const shortScratch = scratch.subarray(0, 2048);

/** The stream cannot be split into frames any more: the connection must be closed. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** What the reader's owner decides. */
export interface FrameSink {
  /** How many bytes after the size the owner wants to see before it gives memory, 0..4. */
  readonly peekBytes: number;
  /**
   * Memory for a frame of `size` bytes (exactly that long), or null when there is none now: the reader then stops and
   * asks again at the next `resume()`.
   * @param peeked the frame's first `peekBytes` bytes, valid during the call
   * @throws FrameError when no frame may have that size
   */
  allocate(size: number, peeked: Buffer): Buffer | null;
  /** Says, as soon as the size is there, why no frame may have it; null when it is fine. */
  refuse(size: number): string | null;
  /** Takes a whole frame (without its size). False stops the reader until `resume()`. */
  onFrame(frame: Buffer): boolean;
}

/**
 * Splits a byte stream into size-prefixed frames with as little copying as the socket allows: the body of a large
 * frame is read straight into the memory that `allocate` gave, small frames are copied once out of the scratch buffer.
 *
 *     target() ──► the socket reads into it ──► consume(target, n) ──► onFrame(frame)…
 *                                                    │ false: stopped; the rest of the bytes is kept
 *                                                    ▼
 *                                    the owner pauses the socket, later resume() ──► true: read on
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #head: Buffer;
  #headFilled = 0;
  #frame: Buffer | null = null;
  #filled = 0;
  #direct: Buffer | null = null;
  #lastWasLarge = false;
  #stopped = false;
  #leftover: Buffer | null = null;
  #leftoverAt = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
    this.#head = Buffer.alloc(4 + sink.peekBytes);
  }

  /** True between a frame's first byte and its last. */
  get midFrame(): boolean {
    return this.#headFilled > 0;
  }

  /** Bytes received and not yet parsed, because the reader is stopped. */
  get hasLeftover(): boolean {
    return this.#leftover !== null;
  }

  /** The buffer that the next read should fill from its start. */
  target(): Buffer {
    const frame = this.#frame;
    if (frame !== null && frame.length - this.#filled >= DIRECT_READ_MIN_BYTES) {
      this.#direct = frame.subarray(this.#filled);
      return this.#direct;
    }
    this.#direct = null;
    return frame === null && this.#lastWasLarge ? shortScratch : scratch;
  }

  /**
   * Takes the first `length` bytes of `buffer`: the last target, or (for sockets that bring their own memory) any other.
   * A stopped reader keeps them: TLS hands over what it has decrypted already, whether it is wanted or not.
   * @returns false when reading must pause until `resume()` has returned true
   * @throws FrameError, after which the reader is of no use
   */
  consume(buffer: Buffer, length: number): boolean {
    if (this.#stopped) return this.#keepMore(buffer.subarray(0, length));
    if (buffer !== this.#direct) return this.#parse(buffer, 0, length);
    this.#direct = null;
    this.#filled += length;
    if (this.#filled === this.#frame!.length) this.#deliver();
    return !this.#stopped;
  }

  /** Goes on after a stop. True when all bytes at hand are parsed and the socket may be read again. */
  resume(): boolean {
    this.#stopped = false;
    if (this.#leftover !== null) return this.#parse(this.#leftover, this.#leftoverAt, this.#leftover.length);
    return !this.#headComplete || this.#startFrame();
  }

  get #headComplete(): boolean {
    return this.#frame === null && this.#headFilled === this.#head.length;
  }

  #parse(buffer: Buffer, from: number, end: number): boolean {
    let at = from;
    if (this.#headComplete && !this.#startFrame()) return this.#keep(buffer, at, end);
    while (at < end) {
      at = this.#frame === null ? this.#fillHead(buffer, at, end) : this.#fillFrame(buffer, at, end);
      if (this.#stopped) return this.#keep(buffer, at, end);
    }
    this.#leftover = null;
    return true;
  }

  /** A stopped reader keeps what it has not parsed: a copy, except when that is what it was parsing. */
  #keep(buffer: Buffer, at: number, end: number): false {
    if (at === end) {
      this.#leftover = null;
    } else if (buffer === this.#leftover) {
      this.#leftoverAt = at;
    } else {
      this.#leftover = Buffer.from(buffer.subarray(at, end));
      this.#leftoverAt = 0;
    }
    return false;
  }

  #keepMore(bytes: Buffer): false {
    const kept = this.#leftover?.subarray(this.#leftoverAt) ?? Buffer.alloc(0);
    this.#leftover = Buffer.concat([kept, bytes]);
    this.#leftoverAt = 0;
    return false;
  }

  #fillHead(buffer: Buffer, at: number, end: number): number {
    const sizeWasKnown = this.#headFilled >= 4;
    const count = Math.min(this.#head.length - this.#headFilled, end - at);
    buffer.copy(this.#head, this.#headFilled, at, at + count);
    this.#headFilled += count;
    if (!sizeWasKnown && this.#headFilled >= 4) this.#checkSize();
    if (this.#headComplete) this.#startFrame();
    return at + count;
  }

  #checkSize(): void {
    const reason = this.#sink.refuse(this.#head.readInt32BE(0));
    if (reason !== null) throw new FrameError(reason);
  }

  /** Asks for the frame's memory; false (and stopped) when there is none yet. */
  #startFrame(): boolean {
    const peeked = this.#head.subarray(4);
    this.#frame = this.#sink.allocate(this.#head.readInt32BE(0), peeked);
    if (this.#frame === null) {
      this.#stopped = true;
      return false;
    }
    this.#filled = peeked.copy(this.#frame);
    if (this.#filled === this.#frame.length) this.#deliver();
    return !this.#stopped;
  }

  #fillFrame(buffer: Buffer, at: number, end: number): number {
    const frame = this.#frame!;
    const count = Math.min(frame.length - this.#filled, end - at);
    buffer.copy(frame, this.#filled, at, at + count);
    this.#filled += count;
    if (this.#filled === frame.length) this.#deliver();
    return at + count;
  }

  #deliver(): void {
    const frame = this.#frame!;
    this.#frame = null;
    this.#headFilled = 0;
    this.#filled = 0;
    this.#lastWasLarge = frame.length >= 2 * DIRECT_READ_MIN_BYTES;
    if (!this.#sink.onFrame(frame)) this.#stopped = true;
  }
}

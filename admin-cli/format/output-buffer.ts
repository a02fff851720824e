const INITIAL_BYTES = 1 << 16;

/** Gathers output, so that many small pieces become one write. Reused: what `take` returns is valid until the next append. */
export class OutputBuffer {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer | string): void {
    if (typeof piece === 'string') {
      this.#reserve(piece.length * 3);
      this.#length += this.#bytes.write(piece, this.#length);
    } else {
      this.#reserve(piece.length);
      this.#length += piece.copy(this.#bytes, this.#length);
    }
  }

  /** Goes back to an earlier length: drops what was appended since. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was gathered; the next append starts over. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

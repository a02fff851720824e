/**
 * Memory for the bytes of one answer: used again for other answers once this one has been written to its last byte, or
 * dropped with its connection. So its bytes are the answer's alone: whatever lives longer must be a copy. Not giving an
 * answer such memory, or never ending it, is safe: its bytes are then left to the garbage collector.
 */
export interface AnswerMemory {
  /** `length` bytes of arbitrary content, to be filled before anything is awaited. */
  take(length: number): Buffer;
  /**
   * Has `length` bytes filled.
   * @param read fills the target from its start and resolves with the count of bytes that there are
   * @returns the filled part
   */
  fill(length: number, read: (target: Buffer) => Promise<number>): Promise<Buffer>;
  /** Keeps memory of others for the answer, which holds views of it: it is released with the answer's own. */
  keep(memory: Releasable): void;
}

/** Memory that somebody looks at until it is released. */
export interface Releasable {
  release(): void;
}

import type { Lease, RequestMemory } from './request-memory.ts';

/** The memory of the one frame that a connection is receiving: asked for, waited for, filled, handed on. */
export class FrameMemory {
  readonly #memory: RequestMemory;
  readonly #onGranted: () => void;
  #lease: Lease | null = null;
  #stopWaiting: (() => void) | null = null;

  /** @param onGranted called when memory that was waited for has come; `allocate` will then return it */
  constructor(memory: RequestMemory, onGranted: () => void) {
    this.#memory = memory;
    this.#onGranted = onGranted;
  }

  get isWaiting(): boolean {
    return this.#stopWaiting !== null;
  }

  /** Memory for the frame, or null while there is none; asking again for the same frame keeps its place in line. */
  allocate(size: number, isProduce: boolean): Buffer | null {
    if (this.#stopWaiting !== null) return null;
    this.#lease ??= this.#memory.tryLease(size, isProduce);
    if (this.#lease !== null) return this.#lease.bytes;
    this.#stopWaiting = this.#memory.lease(size, isProduce, lease => {
      this.#stopWaiting = null;
      this.#lease = lease;
      this.#onGranted();
    });
    return null;
  }

  /** Hands the filled memory to its request. */
  take(): Lease {
    const lease = this.#lease!;
    this.#lease = null;
    return lease;
  }

  /** The connection is gone. */
  discard(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#lease?.release();
    this.#lease = null;
  }
}

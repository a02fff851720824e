import type { Filling } from './fill-watch.ts';
import type { Lease, RequestMemory } from './request-memory.ts';

/** The connection whose frame it is. */
export interface FrameOwner {
  /** Memory that was waited for has come; `allocate` will then return it. */
  granted(): void;
  /** The memory is wanted by others. */
  giveUp(reason: string): void;
}

/** The memory of the one frame that a connection is receiving: asked for, waited for, filled, handed on. */
export class FrameMemory implements Filling {
  readonly #memory: RequestMemory;
  readonly #owner: FrameOwner;
  #lease: Lease | null = null;
  #stopWaiting: (() => void) | null = null;
  #isWatched = false;
  isProduce = false;
  since = 0;
  lastByteAt = 0;

  constructor(memory: RequestMemory, owner: FrameOwner) {
    this.#memory = memory;
    this.#owner = owner;
  }

  get isWaiting(): boolean {
    return this.#stopWaiting !== null;
  }

  get bytes(): number {
    return this.#lease?.bytes.length ?? 0;
  }

  /** Memory for the frame, or null while there is none; asking again for the same frame keeps its place in line. */
  allocate(size: number, isProduce: boolean): Buffer | null {
    if (this.#stopWaiting !== null) return null;
    this.isProduce = isProduce;
    this.#lease ??= this.#memory.tryLease(size, isProduce);
    if (this.#lease !== null) return this.#lease.bytes;
    this.#stopWaiting = this.#memory.lease(size, isProduce, lease => {
      this.#stopWaiting = null;
      this.#lease = lease;
      this.#owner.granted();
    });
    return null;
  }

  /** Some of the frame has come, or just the memory for it, and not all of it. @param now monotonic milliseconds */
  unfinished(now: number): void {
    this.lastByteAt = now;
    if (this.#lease === null || this.#isWatched) return;
    this.since = now;
    this.#isWatched = true;
    this.#memory.filling(this);
  }

  giveUp(reason: string): void {
    this.#owner.giveUp(reason);
  }

  /** Hands the filled memory to its request. */
  take(): Lease {
    const lease = this.#lease!;
    this.#lease = null;
    this.#unwatch();
    return lease;
  }

  /** The connection is gone. */
  discard(): void {
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    this.#lease?.release();
    this.#lease = null;
    this.#unwatch();
  }

  #unwatch(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#memory.filled(this);
  }
}

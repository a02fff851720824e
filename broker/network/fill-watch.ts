import type { Clock, Timer, Timers } from '../../shared/runtime/clock.ts';

/** A request whose memory is taken and whose bytes are still on their way. */
export interface Filling {
  /** Length of the whole request. */
  readonly bytes: number;
  readonly isProduce: boolean;
  /** When its memory was given, in monotonic milliseconds. */
  readonly since: number;
  /** When the last of its bytes came, in monotonic milliseconds. */
  readonly lastByteAt: number;
  /** Its memory is wanted by others: end it, and say why. */
  giveUp(reason: string): void;
}

/** Milliseconds without a byte after which a request is late. */
const STALL_MS = 1_000;
/** Bytes a millisecond that a request has to come with, on the whole. */
const SLOWEST = 64;
const CHECK_EVERY_MS = 250;

/** Whether a request takes longer than it may when others wait for its memory. */
export function isLate({ bytes, since, lastByteAt }: Filling, now: number): boolean {
  return now - lastByteAt > STALL_MS || now - since > STALL_MS + bytes / SLOWEST;
}

/**
 * Sees to it that nobody keeps others waiting for memory by announcing a request and sending nothing, or next to nothing,
 * of it. As long as nobody waits a request may take its time (`request.timeout.ms` without a byte).
 */
export class FillWatch {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #isWanted: (filling: Filling) => boolean;
  readonly #isShort: () => boolean;
  readonly #fillings = new Set<Filling>();
  #late: Map<Filling, number> = new Map();
  #timer: Timer | null = null;

  /**
   * @param isShort whether anybody waits for memory
   * @param isWanted whether anybody waits for the memory that this request has
   */
  constructor(clock: Clock, timers: Timers, isShort: () => boolean, isWanted: (filling: Filling) => boolean) {
    this.#clock = clock;
    this.#timers = timers;
    this.#isShort = isShort;
    this.#isWanted = isWanted;
  }

  add(filling: Filling): void {
    this.#fillings.add(filling);
  }

  remove(filling: Filling): void {
    this.#fillings.delete(filling);
  }

  /** Somebody has begun to wait. */
  start(): void {
    this.#timer ??= this.#timers.every(CHECK_EVERY_MS, () => this.#check());
  }

  #check(): void {
    if (!this.#isShort()) {
      this.#timer?.cancel();
      this.#timer = null;
      this.#late.clear();
      return;
    }
    const now = this.#clock.monotonic();
    const late = new Map<Filling, number>();
    for (const filling of this.#fillings) {
      if (!this.#isWanted(filling) || !isLate(filling, now)) continue;
      // Late twice in a row, with no byte in between: the first time it may be the broker that has not looked for a while.
      if (this.#late.get(filling) === filling.lastByteAt) {
        this.#fillings.delete(filling);
        filling.giveUp('others wait for the memory of the request that it has begun and sends too slowly');
      } else late.set(filling, filling.lastByteAt);
    }
    this.#late = late;
  }
}

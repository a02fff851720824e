import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { LogCopy } from './log-copy.ts';
import type { Partition } from './partition.ts';

export interface DirectoryMovesOptions {
  /** How many logs are copied at the same time; the others wait. */
  readonly concurrency: number;
  /** Bytes of one read (`replica.fetch.max.bytes`). */
  readonly maxBytes: number;
  /** Of all moves together (`replica.alter.log.dirs.io.max.bytes.per.second`). */
  readonly bytesPerSecond: () => number;
  /**
   * Puts the future log in the place of the current one when it has all records.
   * @returns false: it has fallen behind again
   */
  readonly finish: (move: Move) => Promise<boolean>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** A partition's log on its way from one log directory to another. */
export interface Move {
  readonly partition: Partition;
  readonly copy: LogCopy;
  readonly isCancelled: boolean;
}

interface MutableMove extends Move {
  isCancelled: boolean;
  /** What is being done to the future log. */
  work: Promise<unknown>;
  wake: (() => void) | null;
}

const NOTHING = Promise.resolve();
/** The rate may be raised while a move pauses. */
const MAX_PAUSE_MS = 1000;

/**
 * Moves replicas between the log directories of this broker: as a follower within the same process does, the future log
 * is filled from the current one until it has everything (Kafka: `ReplicaAlterLogDirsManager`, `ReplicaAlterLogDirsThread`).
 *
 *     start ─→ waiting ─→ cut to where both agree ─→ copying ─→ caught up ─→ finish ─→ swapped
 *                                                      ↑  (current log cut: cut, too)    │ fallen behind
 *                                                      └─────────────────────────────────┘
 */
export class DirectoryMoves {
  readonly #options: DirectoryMovesOptions;
  readonly #moves = new Map<string, MutableMove>();
  readonly #waiting: MutableMove[] = [];
  #running = 0;
  /** Monotonic time before which nothing more may be copied. */
  #throttledUntil = -Infinity;

  constructor(options: DirectoryMovesOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#moves.size;
  }

  /** Begins a move, or goes on with one that was interrupted. Nothing happens if it is under way. */
  start(partition: Partition, current: PartitionLog, future: PartitionLog): void {
    if (this.#moves.has(partition.key)) return;
    const move = { partition, copy: new LogCopy(current, future), isCancelled: false, work: NOTHING, wake: null };
    this.#moves.set(partition.key, move);
    this.#waiting.push(move);
    this.#options.logger.info(
      { partition: partition.key, from: current.directory, to: future.directory },
      'moving a log',
    );
    this.#next();
  }

  /** Ends moves; resolves when nothing is being done to their future logs any more. */
  async cancel(keys: Iterable<string>): Promise<void> {
    const ending: Promise<unknown>[] = [];
    for (const key of keys) {
      const move = this.#moves.get(key);
      if (move === undefined) continue;
      this.#moves.delete(key);
      move.isCancelled = true;
      move.wake?.();
      ending.push(move.work);
    }
    await Promise.all(ending);
  }

  /** Ends the moves from and to a log directory that has failed. */
  cancelIn(directory: string): void {
    const concerned = [...this.#moves].filter(([, { copy }]) => copy.touches(directory));
    void this.cancel(concerned.map(([key]) => key));
  }

  shutdown(): Promise<void> {
    return this.cancel([...this.#moves.keys()]);
  }

  #next(): void {
    while (this.#running < this.#options.concurrency) {
      const move = this.#waiting.shift();
      if (move === undefined) return;
      this.#running += 1;
      void this.#run(move).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #run(move: MutableMove): Promise<void> {
    const { partition, copy } = move;
    const isCancelled = () => move.isCancelled;
    try {
      await this.#change(move, () => copy.align());
      while (!isCancelled()) {
        const copied = await this.#change(move, () => copy.step(this.#options.maxBytes, isCancelled));
        if (copied > 0) await this.#throttle(move, copied);
        else if (!isCancelled() && (await this.#options.finish(move))) break;
      }
    } catch (error) {
      // The future log stays; the next order about the partition tries again.
      if (!isCancelled()) this.#options.logger.error({ err: error, partition: partition.key }, 'a log cannot be moved');
    }
    if (this.#moves.get(partition.key) === move) this.#moves.delete(partition.key);
  }

  async #change<T>(move: MutableMove, change: () => Promise<T>): Promise<T> {
    const work = change();
    move.work = work.catch(() => {});
    return work;
  }

  /** Pauses so that all moves together do not exceed their rate. */
  async #throttle(move: MutableMove, bytes: number): Promise<void> {
    const { clock, timers, bytesPerSecond } = this.#options;
    const now = clock.monotonic();
    this.#throttledUntil = Math.max(this.#throttledUntil, now) + (bytes * 1000) / Math.max(1, bytesPerSecond());
    const delayMs = this.#throttledUntil - now;
    if (delayMs < 1 || move.isCancelled) return;
    await new Promise<void>(resolve => {
      const timer = timers.after(Math.min(delayMs, MAX_PAUSE_MS), () => move.wake?.());
      move.wake = () => {
        move.wake = null;
        timer.cancel();
        resolve();
      };
    });
  }
}

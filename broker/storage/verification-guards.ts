/** Most guards kept by a log: whoever may write could ask for verifications of invented producers without end. */
const MOST_GUARDS = 10_000;

/**
 * Stands for the verification of one producer's transaction, from its beginning to the first batch of the transaction or
 * a marker (Kafka: `VerificationGuard`, `VerificationStateEntry`).
 */
export interface VerificationGuard {
  readonly producerId: number;
  readonly begunMs: number;
  epoch: number;
  /** The least first sequence of the batches that wait for it: the transaction begins with that one. */
  lowestSequence: number;
}

/**
 * What the first batch of a transaction has to show to a log: the guard that was given out when its verification began,
 * unless anything has happened to the producer's transaction since (KIP-890).
 *
 *     produce: begin ─→ guard 1 ─→ coordinator: yes, in the transaction     …    take(batch, guard 1): refused
 *     marker:                                             abort: guard 1 ends
 *
 * Without it, the batch would open a transaction behind the marker that nobody ends.
 */
export class VerificationGuards {
  /** Oldest first. */
  readonly #guards = new Map<number, VerificationGuard>();

  /** A batch of that epoch that begins with `sequence` is to be verified; those of one producer share a guard. */
  begin(producerId: number, epoch: number, sequence: number, now: number): VerificationGuard {
    const known = this.#guards.get(producerId);
    if (known === undefined) return this.#add({ producerId, begunMs: now, epoch, lowestSequence: sequence });
    if (epoch > known.epoch) {
      known.epoch = epoch;
      known.lowestSequence = sequence;
    } else if (epoch === known.epoch) {
      known.lowestSequence = Math.min(known.lowestSequence, sequence);
    }
    return known;
  }

  #add(guard: VerificationGuard): VerificationGuard {
    if (this.#guards.size === MOST_GUARDS) {
      for (const oldest of this.#guards.keys()) {
        this.#guards.delete(oldest);
        break;
      }
    }
    this.#guards.set(guard.producerId, guard);
    return guard;
  }

  /** Whether nothing has happened since the guard was given out. */
  isValid(guard: VerificationGuard): boolean {
    return this.#guards.get(guard.producerId) === guard;
  }

  /** The producer's transaction has begun in the log, or ended. */
  end(producerId: number): void {
    this.#guards.delete(producerId);
  }

  clear(): void {
    this.#guards.clear();
  }

  /** Forgets those that nobody has come back with for so long. Times in milliseconds. */
  removeExpired(now: number, expirationMs: number): void {
    for (const { producerId, begunMs } of this.#guards.values()) {
      if (now - begunMs >= expirationMs) this.#guards.delete(producerId);
    }
  }
}

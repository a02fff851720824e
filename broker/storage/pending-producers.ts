import * as batch from '../../shared/records/batch.ts';
import { applyBatch, readTransactionEnd } from './producer-batches.ts';
import type { LeaderAppendOptions } from './leader-append.ts';
import { checkClientBatch, checkEpoch, checkMarker, checkVerified, type OfferedBatch } from './producer-checks.ts';
import { NONE, ProducerEntry, type WrittenBatch } from './producer-entry.ts';
import type { ProducerStates } from './producer-states.ts';
import { type VerificationGuard, VerificationGuards } from './verification-guards.ts';

/** A producer with batches that are still being written: its state with them. */
interface Pending {
  entry: ProducerEntry;
  /** How many of its batches wait to be written. */
  batches: number;
}

/**
 * The gate of a leader's log: checks batches in the order in which they take their offsets, against what is written and
 * what has taken its offsets before but waits to be written.
 *
 *     take(A seq 0-4) take(B seq 5-9)      end of turn: A and B are written
 *     pending: producer → state with A, B  ──► states: producer → A, B; nothing pending
 *
 * What is written and what is pending are kept apart because a snapshot must not tell of a batch that the disk lacks.
 */
export class PendingProducers {
  readonly guards = new VerificationGuards();
  readonly #written: ProducerStates;
  readonly #pending = new Map<number, Pending>();

  constructor(written: ProducerStates) {
    this.#written = written;
  }

  /**
   * Checks batches that are about to be appended, their offsets set, and takes them in: all or, throwing, none.
   * @returns not null: a client's batch is in the log already and must not be appended again
   * @throws StorageError INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_TXN_STATE,
   *     TRANSACTION_COORDINATOR_FENCED
   */
  take(bytes: Buffer, { origin, verification }: LeaderAppendOptions): WrittenBatch | null {
    const isClient = origin !== 'coordinator';
    const staged: ProducerEntry[] = [];
    for (let at = 0; at < bytes.length; at += batch.batchSizeInBytes(bytes, at)) {
      const producerId = batch.producerId(bytes, at);
      if (producerId === NONE) continue;
      const earlier = staged.findLast(entry => entry.producerId === producerId);
      const known = earlier ?? this.#latest(producerId);
      const duplicate = isClient ? findDuplicate(known, bytes, at) : null;
      if (duplicate !== null) return duplicate;
      const entry = known?.copy() ?? new ProducerEntry(producerId);
      if (verification !== undefined) this.#checkVerified(entry, bytes, at, verification);
      check(entry, bytes, at, isClient);
      applyBatch(entry, bytes, at);
      staged.push(entry);
    }
    for (const entry of staged) this.#enter(entry);
    return null;
  }

  #latest(producerId: number): ProducerEntry | undefined {
    return this.#pending.get(producerId)?.entry ?? this.#written.get(producerId);
  }

  /** See `PartitionLog.beginVerification`. */
  beginVerification(producerId: number, epoch: number, sequence: number, now: number): VerificationGuard | null {
    const entry = this.#latest(producerId);
    const isOpen = entry?.epoch === epoch && entry.currentTxnFirstOffset !== NONE;
    return isOpen ? null : this.guards.begin(producerId, epoch, sequence, now);
  }

  #checkVerified(
    entry: ProducerEntry,
    bytes: Buffer,
    at: number,
    verification: NonNullable<LeaderAppendOptions['verification']>,
  ): void {
    if (!batch.isTransactional(bytes, at) || batch.isControl(bytes, at)) return;
    const guard = verification !== 'not begun' && this.guards.isValid(verification) ? verification : null;
    checkVerified(entry, readOffered(bytes, at), guard);
  }

  #enter(entry: ProducerEntry): void {
    // With data or a marker: a transaction has begun or ended. Without one, nothing waits for its verification.
    this.guards.end(entry.producerId);
    const pending = this.#pending.get(entry.producerId);
    if (pending === undefined) this.#pending.set(entry.producerId, { entry, batches: 1 });
    else {
      pending.entry = entry;
      pending.batches++;
    }
  }

  /** A batch has been written, and taken into the states. */
  written(bytes: Buffer, at: number): void {
    const producerId = batch.producerId(bytes, at);
    const pending = producerId === NONE ? undefined : this.#pending.get(producerId);
    if (pending !== undefined && --pending.batches === 0) this.#pending.delete(producerId);
  }

  /** Nothing of what waited will be written any more. */
  clear(): void {
    this.#pending.clear();
  }
}

function findDuplicate(entry: ProducerEntry | undefined, bytes: Buffer, at: number): WrittenBatch | null {
  const [epoch, first, last] = [
    batch.producerEpoch(bytes, at),
    batch.baseSequence(bytes, at),
    batch.lastSequence(bytes, at),
  ];
  return entry?.find(epoch, first, last) ?? null;
}

function readOffered(bytes: Buffer, at: number): OfferedBatch {
  const [epoch, firstSequence] = [batch.producerEpoch(bytes, at), batch.baseSequence(bytes, at)];
  return { epoch, firstSequence, isTransactional: batch.isTransactional(bytes, at) };
}

/** Coordinators number nothing: of what they write only the epochs are checked. */
function check(entry: ProducerEntry, bytes: Buffer, at: number, isClient: boolean): void {
  const epoch = batch.producerEpoch(bytes, at);
  if (isClient) {
    checkClientBatch(entry, readOffered(bytes, at));
    return;
  }
  const end = batch.isControl(bytes, at) ? readTransactionEnd(bytes, at) : null;
  if (end === null) checkEpoch(entry, epoch);
  else checkMarker(entry, end);
}

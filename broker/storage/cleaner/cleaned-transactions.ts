import * as batch from '../../../shared/records/batch.ts';
import { readTransactionMarker } from '../../../shared/records/transaction-marker.ts';
import type { AbortedTransaction } from '../transaction-index.ts';

interface OngoingAbort {
  readonly transaction: AbortedTransaction;
  /** Whether a batch of it is still in the log. */
  hasData: boolean;
}

/**
 * Follows the transactions while a log is read from the beginning, batch by batch, to tell what belongs to an aborted
 * one, and which markers nobody needs any more (Kafka: `CleanedTransactionMetadata`).
 */
export class CleanedTransactions {
  /** Those that have not begun yet, the one that begins last first. */
  readonly #ahead: AbortedTransaction[];
  readonly #aborting = new Map<number, OngoingAbort>();
  readonly #committing = new Set<number>();
  #retained: AbortedTransaction[] = [];

  /** @param aborted of the part of the log that is read, in any order */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = [...aborted].sort((a, b) => b.firstOffset - a.firstOffset);
  }

  /**
   * Takes notice of the batch at `at`, data or marker.
   * @returns whether it may go: as data of an aborted transaction, or as a marker of one without data
   */
  mayGo(buffer: Buffer, at: number): boolean {
    this.#beginUpTo(batch.lastOffset(buffer, at));
    return batch.isControl(buffer, at) ? this.#markerMayGo(buffer, at) : this.#dataMayGo(buffer, at);
  }

  #beginUpTo(offset: number): void {
    for (let next = this.#ahead.at(-1); next !== undefined && next.firstOffset <= offset; next = this.#ahead.at(-1)) {
      this.#ahead.pop();
      if (!this.#aborting.has(next.producerId))
        this.#aborting.set(next.producerId, { transaction: next, hasData: false });
    }
  }

  #dataMayGo(buffer: Buffer, at: number): boolean {
    if (!batch.isTransactional(buffer, at)) return false;
    const producerId = batch.producerId(buffer, at);
    const abort = this.#aborting.get(producerId);
    if (abort === undefined) this.#committing.add(producerId);
    else abort.hasData = true;
    return abort !== undefined;
  }

  #markerMayGo(buffer: Buffer, at: number): boolean {
    // It was emptied by a cleaning before.
    if (batch.recordCount(buffer, at) === 0) return true;
    const producerId = batch.producerId(buffer, at);
    const marker = readTransactionMarker(buffer, at);
    if (marker === null) return false;
    if (marker.isCommit) return !this.#committing.delete(producerId);
    const abort = this.#aborting.get(producerId);
    this.#aborting.delete(producerId);
    if (abort?.hasData !== true) return true;
    this.#retained.push(abort.transaction);
    return false;
  }

  /** The aborted transactions that the segment's index must name, of those whose markers came since the last call. */
  takeRetained(): AbortedTransaction[] {
    const retained = this.#retained;
    this.#retained = [];
    return retained;
  }
}

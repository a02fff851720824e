import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Clock, Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { completed, prepared } from './decisions.ts';
import { Markers, type Ending } from './markers.ts';
import type { MarkerSender } from './ports.ts';
import type { OwnedPartition, TransactionRegistry } from './registry.ts';
import type { Transaction, TransactionContent } from './transaction.ts';
import type { Writer } from './writer.ts';

export interface EnderParts {
  readonly writer: Writer;
  readonly registry: TransactionRegistry;
  readonly sender: MarkerSender;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
}

/** Pause before the completion of a transaction is written again. */
const RETRY_MS = 100;

/**
 * Ends transactions:
 *
 *     Prepare… written ─→ who asked is answered
 *                └──────→ markers to all partitions ─→ Complete… written
 *
 * From the first of these records on the outcome is final. The second is pending as long as partitions are being told,
 * so that nothing else is done with the id meanwhile.
 */
export class Ender {
  readonly #parts: EnderParts;
  readonly #markers: Markers;
  #completionsToRetry = 0;

  constructor(parts: EnderParts) {
    const { registry, sender, timers, logger } = parts;
    this.#parts = parts;
    this.#markers = new Markers({
      sender,
      timers,
      logger,
      isCurrent: ({ owner, transaction }) => registry.isCurrent(owner, transaction),
      onTold: ending => void this.#finish(ending),
    });
  }

  get unknownDestinations(): number {
    return this.#markers.unknownLeaders;
  }

  get completionsToRetry(): number {
    return this.#completionsToRetry;
  }

  /** Writes the decision, and has the partitions told of it. Resolves when it is written. */
  async end(owner: OwnedPartition, transaction: Transaction, next: TransactionContent): Promise<ErrorCode> {
    const errorCode = await this.#parts.writer.write(owner, transaction, next);
    if (errorCode === ErrorCode.NONE) this.tell(owner, transaction);
    return errorCode;
  }

  /** Takes the epoch from the producer of an open transaction, and aborts that. Resolves when it is written. */
  async abortAndFence(owner: OwnedPartition, transaction: Transaction): Promise<ErrorCode> {
    transaction.fence();
    const errorCode = await this.end(owner, transaction, prepared(transaction.content, false, this.#parts.clock.now()));
    if (errorCode !== ErrorCode.NONE) transaction.fenceFailed();
    return errorCode;
  }

  /** Has the partitions of a prepared transaction told; writes that it is complete when they have been. */
  tell(owner: OwnedPartition, transaction: Transaction): void {
    const isCommit = transaction.state === 'PrepareCommit';
    transaction.prepare(isCommit ? 'CompleteCommit' : 'CompleteAbort');
    this.#markers.send({ owner, transaction, isCommit });
  }

  /** Tried until it is written, or this is not the coordinator any more. */
  async #finish({ owner, transaction }: Ending): Promise<void> {
    const { writer, clock, timers, logger } = this.#parts;
    const next = completed(transaction.content, clock.now());
    for (;;) {
      const errorCode = await writer.writePrepared(owner, transaction, next);
      if (errorCode === ErrorCode.NONE || errorCode === ErrorCode.NOT_COORDINATOR) return;
      const { transactionalId } = transaction;
      logger.debug(
        { transactionalId, errorCode },
        'the completion of a transaction could not be written; trying again',
      );
      this.#completionsToRetry += 1;
      await timers.sleep(RETRY_MS);
      this.#completionsToRetry -= 1;
    }
  }

  close(): void {
    this.#markers.close();
  }
}

import type { ReadableLog } from '../../shared/records/log-walk.ts';
import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { CodecId } from '../../shared/records/compression.ts';

/** Writes to the partitions of `__consumer_offsets` that this broker leads. */
export interface LogWriter {
  /**
   * Appends one batch. The log takes it in this call, so that what is written one after the other lies so; but a
   * transaction's batch only when its coordinator has said that the partition is in it (KIP-890).
   * @param acks 0: resolves when it has been handed over; -1: when it is on all in-sync replicas
   * @returns the batch's offset, -1 with an error
   */
  append(
    partition: number,
    batch: Buffer,
    acks: number,
    transaction?: CommittingTransaction,
  ): Promise<{ readonly errorCode: ErrorCode; readonly baseOffset: number }>;
}

/** Reads the partitions of `__consumer_offsets` that this broker leads. */
export interface LogReader {
  /** null where this broker does not lead. */
  open(partition: number): ReadableLog | null;
}

/** The settings that matter here; each may change while the broker runs. */
export interface GroupSettings {
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly initialRebalanceDelayMs: number;
  readonly maxSize: number;
  readonly maxMetadataLength: number;
  readonly loadBufferSize: number;
  readonly compression: CodecId;
  readonly retentionMs: number;
  readonly retentionCheckIntervalMs: number;
  readonly commitAcks: number;
}

/** The transaction in which offsets are committed. */
export interface CommittingTransaction {
  /** The transactional id. */
  readonly id: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Whether who asks knows TRANSACTION_ABORTABLE. */
  readonly knowsAbortable: boolean;
}

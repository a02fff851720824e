import type { ReadableLog } from '../../shared/records/log-walk.ts';
import type { ErrorCode } from '../../shared/protocol/errors.ts';
import type { RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import type { WriteTxnMarkers } from '../../shared/protocol/messages/write-txn-markers.ts';

/** Writes to the partitions of `__transaction_state` that this broker leads. */
export interface LogWriter {
  /**
   * Appends one batch; resolves when it is on all in-sync replicas. The log takes it in this call, so that what is
   * written one after the other lies so.
   */
  append(partition: number, batch: Buffer, timeoutMs: number): Promise<ErrorCode>;
}

/** One partition's log, and the epoch in which this broker leads it: the coordinator's. */
export interface CoordinatedLog extends ReadableLog {
  readonly leaderEpoch: number;
  /** What is below is on all in-sync replicas. */
  readonly highWatermark: number;
}

/** Reads the partitions of `__transaction_state` that this broker leads. */
export interface LogReader {
  /** null where this broker does not lead. */
  open(partition: number): CoordinatedLog | null;
}

/** One producer's transaction in a WriteTxnMarkers request. */
export type MarkerEntry = RequestInput<typeof WriteTxnMarkers>['markers'][number];
export type MarkerAnswer = ResponseOf<typeof WriteTxnMarkers>['markers'][number];

/** Tells leaders how transactions have ended. */
export interface MarkerSender {
  /** The broker that leads a partition; null: nobody, or it is not known who. 'deleted': there is no such partition. */
  leaderOf(topic: string, partition: number): number | 'deleted' | null;
  /** @throws ConnectionError when the broker cannot be reached, or does not answer */
  send(brokerId: number, markers: readonly MarkerEntry[]): Promise<readonly MarkerAnswer[]>;
  close(): void;
}

/** The settings that matter here. */
export interface TransactionSettings {
  readonly maxTimeoutMs: number;
  readonly timeoutCheckIntervalMs: number;
  readonly idExpirationMs: number;
  readonly expiryCheckIntervalMs: number;
  readonly loadBufferSize: number;
  readonly requestTimeoutMs: number;
}

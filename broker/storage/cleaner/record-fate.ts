import * as batch from '../../../shared/records/batch.ts';
import { NO_PRODUCER_ID } from '../../../shared/records/layout.ts';
import type { CleanedTransactions } from './cleaned-transactions.ts';
import type { OffsetMap } from './offset-map.ts';

/** What the log remembers of an idempotent producer that is still active. */
export interface ActiveProducer {
  readonly producerId: number;
  readonly epoch: number;
  /** Of its last record, -1 when only a marker is known. */
  readonly lastOffset: number;
}

/** By what is decided about batches and records. Times in milliseconds. */
export interface FateRules {
  readonly map: OffsetMap;
  readonly transactions: CleanedTransactions;
  readonly now: number;
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number;
  /** Whether tombstones of magic 0 and 1, which cannot say for how long, are kept. */
  readonly keepsLegacyTombstones: boolean;
  readonly producers: ReadonlyMap<number, ActiveProducer>;
  /** Where what is cleaned this time ends. */
  readonly roundEnd: number;
}

/** What is decided about a batch before its records are looked at. */
export interface BatchFate {
  /** Whether its records are dropped, all of them. */
  readonly dropsRecords: boolean;
  /** Whether its header stays if no record does. */
  readonly keepsHeader: boolean;
  /** Whether it is a marker that may go when it has been kept for `delete.retention.ms`. */
  readonly isSpentMarker: boolean;
}

/**
 * Kafka: `Cleaner.cleanInto`, `checkBatchRetention`. Batches must be shown in the log's order. The header of a batch
 * without records stays where it tells a producer's last sequence or epoch, without which the producer would be taken
 * for a new one, and where it tells how far the log has been cleaned.
 */
export function batchFate(buffer: Buffer, at: number, rules: FateRules): BatchFate {
  const mayGo = rules.transactions.mayGo(buffer, at);
  const isMarker = batch.isControl(buffer, at);
  const isLastOfRound = batch.lastOffset(buffer, at) + 1 === rules.roundEnd;
  return {
    dropsRecords: mayGo && (!isMarker || horizonHasPassed(buffer, at, rules.now)),
    // Formats before magic 2 know no batch without records.
    keepsHeader: batch.magic(buffer, at) >= 2 && (isLastOfRound || isLastOfProducer(buffer, at, rules.producers)),
    isSpentMarker: mayGo && isMarker,
  };
}

function horizonHasPassed(buffer: Buffer, at: number, now: number): boolean {
  return batch.hasDeleteHorizon(buffer, at) && batch.baseTimestamp(buffer, at) <= now;
}

function isLastOfProducer(buffer: Buffer, at: number, producers: ReadonlyMap<number, ActiveProducer>): boolean {
  const producerId = batch.producerId(buffer, at);
  const producer = producerId === NO_PRODUCER_ID ? undefined : producers.get(producerId);
  if (producer === undefined) return false;
  if (producer.lastOffset >= 0) return producer.lastOffset === batch.lastOffset(buffer, at);
  return batch.isControl(buffer, at) && batch.producerEpoch(buffer, at) === producer.epoch;
}

/** Whether the tombstones of a batch are still to be kept for those who read behind. */
export function keepsTombstones(buffer: Buffer, at: number, rules: FateRules): boolean {
  if (batch.magic(buffer, at) < 2) return rules.keepsLegacyTombstones;
  return !batch.hasDeleteHorizon(buffer, at) || rules.now < batch.baseTimestamp(buffer, at);
}

/**
 * Whether a record with a key is kept (Kafka: `Cleaner.shouldRetainRecord`): the latest of its key, and not a tombstone
 * whose time is over. What lies beyond the map has not been compared.
 */
export function isKept(
  key: Buffer,
  offset: number,
  isTombstone: boolean,
  tombstonesStay: boolean,
  map: OffsetMap,
): boolean {
  if (isTombstone && !tombstonesStay) return false;
  return offset >= map.get(key);
}

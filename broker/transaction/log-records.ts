import { ProtocolError } from '../../shared/protocol/errors.ts';
import { TransactionLogKey, TransactionLogValue } from '../../shared/protocol/log-records/transaction-state.ts';
import { decodeVersioned, encodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';
import type { PartitionSet } from './partition-sets.ts';
import { stateId, stateOfId } from './states.ts';
import { NONE, type TransactionContent } from './transaction.ts';

/** Versions that are written, as by every broker of a cluster with ZooKeeper. */
const KEY = 0;
const VALUE = 0;

/** What one record of `__transaction_state` says; a null content: the id is forgotten. */
export type LogRecord =
  | { readonly kind: 'transaction'; readonly transactionalId: string; readonly content: TransactionContent | null }
  | { readonly kind: 'unknown'; readonly keyVersion: number };

export function transactionKey(transactionalId: string): Buffer {
  return encodeVersioned(TransactionLogKey, { transactionalId }, KEY);
}

export function transactionValue(content: TransactionContent): Buffer {
  const partitions = Array.from(content.partitions, ([topic, ids]) => ({ topic, partitionIds: [...ids] }));
  const value = {
    producerId: content.producerId,
    producerEpoch: content.producerEpoch,
    transactionTimeoutMs: content.timeoutMs,
    transactionStatus: stateId(content.state),
    transactionPartitions: content.state === 'Empty' ? null : partitions,
    transactionLastUpdateTimestampMs: content.lastUpdateMs,
    transactionStartTimestampMs: content.startMs,
  };
  return encodeVersioned(TransactionLogValue, value, VALUE);
}

/** Reads a record. @throws ProtocolError for a value of a version, or with a state, that does not exist */
export function decodeRecord(key: Buffer, value: Buffer | null): LogRecord {
  const keyVersion = versionOf(key);
  if (keyVersion !== KEY) return { kind: 'unknown', keyVersion };
  const { transactionalId } = decodeVersioned(TransactionLogKey, key);
  return { kind: 'transaction', transactionalId, content: value === null ? null : decodeContent(value) };
}

function decodeContent(bytes: Buffer): TransactionContent {
  const value = decodeVersioned(TransactionLogValue, bytes);
  const state = stateOfId(value.transactionStatus);
  if (state === undefined)
    throw new ProtocolError(`the state of a transaction is ${value.transactionStatus}, and can only be 0 to 7`);
  return {
    state,
    producerId: value.producerId,
    previousProducerId: NONE,
    producerEpoch: value.producerEpoch,
    lastProducerEpoch: NONE,
    timeoutMs: value.transactionTimeoutMs,
    partitions: readPartitions(value.transactionPartitions ?? []),
    startMs: value.transactionStartTimestampMs,
    lastUpdateMs: value.transactionLastUpdateTimestampMs,
  };
}

function readPartitions(topics: readonly { topic: string; partitionIds: readonly number[] }[]): PartitionSet {
  return new Map(topics.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]));
}

import type { ConsumerRecord } from '../../client/index.ts';
import { toJson, type Json } from '../../shared/protocol/json.ts';
import { TransactionLogKey, TransactionLogValue } from '../../shared/protocol/log-records/transaction-state.ts';
import { decodeVersioned, versionOf } from '../../shared/protocol/log-records/versioned.ts';
import type { Message } from '../../shared/protocol/message.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { RecordView } from './dumped-batch.ts';
import type { OutputBuffer } from './output-buffer.ts';

/** States by the number that records have for them (Kafka: `TransactionState`). */
const STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence',
];

/**
 * Shows records of `__transaction_state`. Kafka changed the text with the class's name in 3.8:
 * `kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter` became
 * `org.apache.kafka.tools.consumer.TransactionLogMessageFormatter`.
 */
export function transactionRecordFormatter(
  isOldClass: boolean,
): (record: ConsumerRecord, output: OutputBuffer) => void {
  const text = isOldClass ? oldText : jsonText;
  return ({ key, value }, output) => {
    if (key !== null && isKnown(TransactionLogKey, key)) output.append(`${text(key, value)}\n`);
  };
}

/**
 * Key and value of a record of `__transaction_state` as kafka-dump-log shows them with --transaction-log-decoder (Kafka:
 * `TransactionLog.formatRecordKeyAndValue`).
 * @throws Error for a record without key; ProtocolError
 */
export function transactionRecordContents({ offset, key, value }: RecordView): string {
  if (key === null) {
    const decoder = '--transaction-log-decoder';
    throw new Error(`the record at offset ${offset} has no key: it is not of the topic that ${decoder} reads`);
  }
  if (!isKnown(TransactionLogKey, key)) return ` key: unknown::version=${versionOf(key)} payload:`;
  const { transactionalId } = decodeVersioned(TransactionLogKey, key);
  return ` key: transaction_metadata::transactionalId=${transactionalId} payload: ${dumpedValue(value)}`;
}

function dumpedValue(bytes: Buffer | null): string {
  if (bytes === null) return '<DELETE>';
  const value = decodeVersioned(TransactionLogValue, bytes);
  return [
    `producerId:${value.producerId}`,
    `producerEpoch:${value.producerEpoch}`,
    `state=${STATES[value.transactionStatus]}`,
    `partitions=[${partitionsOf(value).join(',')}]`,
    `txnLastUpdateTimestamp=${value.transactionLastUpdateTimestampMs}`,
    `txnTimeoutMs=${value.transactionTimeoutMs}`,
  ].join(',');
}

function oldText(key: Buffer, bytes: Buffer | null): string {
  const { transactionalId } = decodeVersioned(TransactionLogKey, key);
  return `${transactionalId}::${bytes === null ? 'NULL' : metadataText(transactionalId, bytes)}`;
}

function metadataText(transactionalId: string, bytes: Buffer): string {
  const value = decodeVersioned(TransactionLogValue, bytes);
  const fields = [
    `transactionalId=${transactionalId}`,
    `producerId=${value.producerId}`,
    `producerEpoch=${value.producerEpoch}`,
    `txnTimeoutMs=${value.transactionTimeoutMs}`,
    `state=${STATES[value.transactionStatus]}`,
    'pendingState=None',
    `topicPartitions=HashSet(${partitionsOf(value).join(', ')})`,
    `txnStartTimestamp=${value.transactionStartTimestampMs}`,
    `txnLastUpdateTimestamp=${value.transactionLastUpdateTimestampMs}`,
  ];
  return `TransactionMetadata(${fields.join(', ')})`;
}

type Value = ReturnType<(typeof TransactionLogValue)['decode']>;

function partitionsOf({ transactionPartitions }: Value): string[] {
  return (transactionPartitions ?? []).flatMap(({ topic, partitionIds }) =>
    partitionIds.map(partition => partitionKey(topic, partition)),
  );
}

function jsonText(key: Buffer, value: Buffer | null): string {
  return JSON.stringify({
    key: versioned(TransactionLogKey, key),
    value: value && versioned(TransactionLogValue, value),
  });
}

function versioned(message: Message, bytes: Buffer): Json {
  const version = versionOf(bytes);
  if (!isKnown(message, bytes)) return { version, data: 'unknown' };
  const decoded = decodeVersioned(message, bytes) as Record<string, unknown>;
  return { version, data: toJson(message.fields, decoded, version, message.name) };
}

function isKnown({ versions }: Message, bytes: Buffer): boolean {
  const version = versionOf(bytes);
  return version >= versions.min && version <= versions.max;
}

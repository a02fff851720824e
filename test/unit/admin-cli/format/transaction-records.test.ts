import { describe, expect, test } from 'vitest';
import { OutputBuffer } from '../../../../admin-cli/format/output-buffer.ts';
import { recordFormatter } from '../../../../admin-cli/format/record-formatter.ts';
import { transactionRecordContents } from '../../../../admin-cli/format/transaction-records.ts';
import type { ConsumerRecord } from '../../../../client/index.ts';
import { TransactionLogKey, TransactionLogValue } from '../../../../shared/protocol/log-records/transaction-state.ts';
import { encodeVersioned } from '../../../../shared/protocol/log-records/versioned.ts';

const T = 1700000000000;
/** `tx-1`; 4001 in epoch 0, one minute, Ongoing, orders-0; as a broker wrote them. */
const KEY = Buffer.from('0000000474782d31', 'hex');
const ONGOING = Buffer.from(
  '00000000000000000fa100000000ea6001000000010006' +
    '6f7264657273' +
    '0000000100000000' +
    '0000018bcfe568000000018bcfe56800',
  'hex',
);
const EMPTY = Buffer.from('00000000000000000fa100000000ea6000ffffffff0000018bcfe56800ffffffffffffffff', 'hex');

test('keys and values are those of Kafka, byte for byte', () => {
  expect(encodeVersioned(TransactionLogKey, { transactionalId: 'tx-1' }, 0)).toEqual(KEY);
  const common = { producerId: 4001, producerEpoch: 0, transactionTimeoutMs: 60_000 };
  const ongoing = {
    ...common,
    transactionStatus: 1,
    transactionPartitions: [{ topic: 'orders', partitionIds: [0] }],
    transactionLastUpdateTimestampMs: T,
    transactionStartTimestampMs: T,
  };
  expect(encodeVersioned(TransactionLogValue, ongoing, 0)).toEqual(ONGOING);
  const empty = { ...ongoing, transactionStatus: 0, transactionPartitions: null, transactionStartTimestampMs: -1 };
  expect(encodeVersioned(TransactionLogValue, empty, 0)).toEqual(EMPTY);
});

describe('the console consumer', () => {
  const OLD = 'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter';
  const NEW = 'org.apache.kafka.tools.consumer.TransactionLogMessageFormatter';
  const show = (className: string, key: Buffer | null, value: Buffer | null) => {
    const output = new OutputBuffer();
    recordFormatter(className, {})({ key, value } as unknown as ConsumerRecord, output);
    return output.take().toString();
  };

  test.each([
    [
      ONGOING,
      'tx-1::TransactionMetadata(transactionalId=tx-1, producerId=4001, producerEpoch=0, txnTimeoutMs=60000, ' +
        `state=Ongoing, pendingState=None, topicPartitions=HashSet(orders-0), txnStartTimestamp=${T}, txnLastUpdateTimestamp=${T})\n`,
    ],
    [
      EMPTY,
      'tx-1::TransactionMetadata(transactionalId=tx-1, producerId=4001, producerEpoch=0, txnTimeoutMs=60000, ' +
        `state=Empty, pendingState=None, topicPartitions=HashSet(), txnStartTimestamp=-1, txnLastUpdateTimestamp=${T})\n`,
    ],
    [null, 'tx-1::NULL\n'],
  ])('shows records as Kafka did before 3.8', (value, text) => {
    expect(show(OLD, KEY, value)).toBe(text);
  });

  test('shows records as JSON since', () => {
    expect(JSON.parse(show(NEW, KEY, ONGOING))).toEqual({
      key: { version: 0, data: { transactionalId: 'tx-1' } },
      value: {
        version: 0,
        data: {
          producerId: 4001,
          producerEpoch: 0,
          transactionTimeoutMs: 60_000,
          transactionStatus: 1,
          transactionPartitions: [{ topic: 'orders', partitionIds: [0] }],
          transactionLastUpdateTimestampMs: T,
          transactionStartTimestampMs: T,
        },
      },
    });
    expect(show(NEW, KEY, null)).toContain('"value":null');
  });

  test('passes over what is no record of a transaction', () => {
    expect(show(OLD, null, null)).toBe('');
    expect(show(NEW, Buffer.from('00070000', 'hex'), null)).toBe('');
  });
});

describe('kafka-dump-log', () => {
  test.each([
    [
      ONGOING,
      `producerId:4001,producerEpoch:0,state=Ongoing,partitions=[orders-0],txnLastUpdateTimestamp=${T},txnTimeoutMs=60000`,
    ],
    [null, '<DELETE>'],
  ])('shows records', (value, text) => {
    expect(transactionRecordContents({ offset: 3, key: KEY, value } as never)).toBe(
      ` key: transaction_metadata::transactionalId=tx-1 payload: ${text}`,
    );
  });

  test('refuses a log of another topic', () => {
    expect(() => transactionRecordContents({ offset: 3, key: null, value: null } as never)).toThrow('has no key');
  });
});

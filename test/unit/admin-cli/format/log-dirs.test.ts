import { expect, test } from 'vitest';
import { logDirsJson } from '../../../../admin-cli/format/log-dirs.ts';
import { KafkaError } from '../../../../client/errors.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

test('the JSON of kafka-log-dirs, in the order of its keys', () => {
  const room = { totalBytes: -1, usableBytes: -1 };
  const replicas = [
    { topic: 't', partition: 0, size: 310, offsetLag: 0, isFuture: false },
    { topic: 'other', partition: 3, size: 1, offsetLag: 5, isFuture: true },
  ];
  const works = { path: '/data/kafka', error: null, replicas, ...room };
  const broken = { path: '/broken', error: new KafkaError(ErrorCode.KAFKA_STORAGE_ERROR), replicas: [], ...room };
  expect(logDirsJson(new Map([[1, [works, broken]]]), topic => topic === 't')).toBe(
    '{"brokers":[{"broker":1,"logDirs":[{"partitions":[{"partition":"t-0","size":310,"offsetLag":0,"isFuture":false}],' +
      '"error":null,"logDir":"/data/kafka"},{"partitions":[],' +
      '"error":"org.apache.kafka.common.errors.KafkaStorageException","logDir":"/broken"}]}],"version":1}',
  );
});

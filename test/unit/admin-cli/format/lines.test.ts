import { describe, expect, test } from 'vitest';
import { KafkaError } from '../../../../client/index.ts';
import { apiVersionLines } from '../../../../admin-cli/format/api-versions.ts';
import { electionReport } from '../../../../admin-cli/format/election.ts';
import { partitionLine, topicLine } from '../../../../admin-cli/format/topic-description.ts';
import { aclLines, statLines } from '../../../../admin-cli/format/znode.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

describe('kafka-topics --describe', () => {
  const partition = { topic: 'orders', partition: 0, leader: 1, replicas: [1, 2], isr: [1, 2] };

  test('the header', () => {
    const topic = {
      name: 'orders',
      topicId: '5yYjM2nTSjWk1Y1m9oQK2g',
      partitions: [partition, partition],
      configs: ['a=1', 'b=2'],
    };
    const line =
      'Topic: orders\tTopicId: 5yYjM2nTSjWk1Y1m9oQK2g\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: a=1,b=2';
    expect(topicLine(topic)).toBe(line);
    expect(topicLine({ ...topic, markedForDeletion: true })).toBe(`${line}\tMarkedForDeletion: true`);
    expect(topicLine({ ...topic, topicId: null, configs: [] })).toBe(
      'Topic: orders\tPartitionCount: 2\tReplicationFactor: 2\tConfigs: ',
    );
  });

  test('a partition', () => {
    const line = '\tTopic: orders\tPartition: 0\tLeader: 1\tReplicas: 1,2\tIsr: 1,2';
    expect(partitionLine(partition, true)).toBe(`${line}\tElr: N/A\tLastKnownElr: N/A`);
    expect(partitionLine(partition, false)).toBe(line);
    expect(partitionLine({ ...partition, leader: null }, false)).toContain('\tLeader: none\t');
    expect(partitionLine({ ...partition, adding: [3], removing: [] }, true)).toBe(
      `${line}\tAdding Replicas: 3\tRemoving Replicas: \tElr: N/A\tLastKnownElr: N/A`,
    );
  });
});

test('kafka-leader-election', () => {
  const outcomes = [
    { topic: 't', partition: 0, error: null },
    { topic: 't', partition: 1, error: null },
    { topic: 't', partition: 2, error: new KafkaError(ErrorCode.ELECTION_NOT_NEEDED) },
    { topic: 't', partition: 3, error: new KafkaError(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE, 'it is away') },
  ];
  expect(electionReport('preferred', { outcomes, unmentioned: [{ topic: 'u', partition: 0 }] })).toEqual({
    lines: [
      'Successfully completed leader election (PREFERRED) for partitions t-0, t-1',
      'Valid replica already elected for partitions t-2, u-0',
      'Error completing leader election (PREFERRED) for partition: t-3: PREFERRED_LEADER_NOT_AVAILABLE: it is away',
    ],
    failed: 1,
  });
  expect(electionReport('unclean', { outcomes: [], unmentioned: [] })).toEqual({ lines: [], failed: 0 });
});

test('kafka-broker-api-versions', () => {
  const lines = apiVersionLines([
    { apiKey: 0, minVersion: 0, maxVersion: 99 },
    { apiKey: 3, minVersion: 500, maxVersion: 501 },
    { apiKey: 18, minVersion: 0, maxVersion: 0 },
    { apiKey: 52, minVersion: 0, maxVersion: 1 },
    { apiKey: 1000, minVersion: 1, maxVersion: 2 },
  ]).split(',\n');
  expect(lines).toContain('\tProduce(0): 0 to 99 [usable: 11]');
  expect(lines).toContain('\tFetch(1): UNSUPPORTED');
  expect(lines).toContain('\tMetadata(3): 500 to 501 [unusable: node too new]');
  expect(lines).toContain('\tApiVersions(18): 0 [usable: 0]');
  expect(lines).toContain('\tVote(52): 0 to 1 [usable: 1]');
  expect(lines).toContain('\tDescribeQuorum(55): UNSUPPORTED');
  expect(lines.some(line => line.includes('BeginQuorumEpoch'))).toBe(false);
  expect(lines.at(-1)).toBe('\tUNKNOWN(1000): 1 to 2');
});

test('znodes as ZooKeeper shows them', () => {
  const long = (value: bigint) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return bytes;
  };
  const stat = {
    czxid: long(78n),
    mzxid: long(79n),
    pzxid: long(78n),
    ctime: long(1700000000000n),
    mtime: long(0n),
    ephemeralOwner: long(-1n),
    version: 1,
    cversion: 2,
    aversion: 3,
    dataLength: 4,
    numChildren: 5,
  };
  expect(statLines(stat)).toEqual([
    'cZxid = 0x4e',
    'ctime = Tue Nov 14 22:13:20 UTC 2023',
    'mZxid = 0x4f',
    'mtime = Thu Jan 01 00:00:00 UTC 1970',
    'pZxid = 0x4e',
    'cversion = 2',
    'dataVersion = 1',
    'aclVersion = 3',
    'ephemeralOwner = 0xffffffffffffffff',
    'dataLength = 4',
    'numChildren = 5',
  ]);
  expect(aclLines([{ perms: 31, id: { scheme: 'world', id: 'anyone' } }])).toEqual(["'world,'anyone", ': cdrwa']);
});

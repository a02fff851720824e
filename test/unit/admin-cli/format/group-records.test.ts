import { describe, expect, test } from 'vitest';
import { groupRecordContents } from '../../../../admin-cli/format/dumped-group-record.ts';
import { OutputBuffer } from '../../../../admin-cli/format/output-buffer.ts';
import { recordFormatter } from '../../../../admin-cli/format/record-formatter.ts';
import { ConsumerAssignment, ConsumerSubscription } from '../../../../shared/protocol/log-records/consumer-protocol.ts';
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../../../shared/protocol/log-records/consumer-offsets.ts';
import { encodeVersioned } from '../../../../shared/protocol/log-records/versioned.ts';

const T = 1700000000000;
const offsetKey = encodeVersioned(OffsetCommitKey, { group: 'g', topic: 't', partition: 3 }, 1);
const offset = { offset: 42, leaderEpoch: 5, metadata: 'why', commitTimestamp: T };
const offsetValue = encodeVersioned(OffsetCommitValue, offset, 3);
const groupKey = encodeVersioned(GroupMetadataKey, { group: 'g' }, 2);
const assignedPartitions = [{ topic: 't', partitions: [3] }];
const member = {
  memberId: 'm',
  groupInstanceId: 'i',
  clientId: 'c',
  clientHost: '/127.0.0.1',
  rebalanceTimeout: 60000,
  sessionTimeout: 10000,
  subscription: encodeVersioned(ConsumerSubscription, { topics: ['t'] }, 0),
  assignment: encodeVersioned(ConsumerAssignment, { assignedPartitions }, 0),
};
const group = {
  protocolType: 'consumer',
  generation: 7,
  protocol: 'range' as string | null,
  leader: 'm' as string | null,
  currentStateTimestamp: T,
  members: [member],
};
const groupValue = (more: Partial<typeof group> = {}) => encodeVersioned(GroupMetadataValue, { ...group, ...more }, 3);
const empty = groupValue({ members: [], protocol: null, leader: null, generation: 8 });
/** Of the protocol of KIP-848, which no broker with ZooKeeper writes. */
const newerKey = Buffer.from([0, 3, 0, 1, 0x67]);

function shown(formatter: string, key: Buffer | null, value: Buffer | null): string {
  const output = new OutputBuffer();
  const about = { topic: '__consumer_offsets', partition: 0, offset: 0, timestamp: T, leaderEpoch: 0, headers: [] };
  recordFormatter(formatter, {})({ ...about, timestampType: 'CreateTime', key, value }, output);
  return output.take().toString();
}

describe('the formatters of offsets', () => {
  const OLD = 'kafka.coordinator.group.GroupMetadataManager$OffsetsMessageFormatter';
  const NEW = 'org.apache.kafka.tools.consumer.OffsetsMessageFormatter';

  test('by the old name of the class: a line of text', () => {
    expect(shown(OLD, offsetKey, offsetValue)).toBe(
      `[g,t,3]::OffsetAndMetadata(offset=42, leaderEpoch=Optional[5], metadata=why, commitTimestamp=${T}, expireTimestamp=None)\n`,
    );
    const expiring = { ...offset, leaderEpoch: -1, metadata: '', expireTimestamp: T + 1 };
    expect(shown(OLD, offsetKey, encodeVersioned(OffsetCommitValue, expiring, 1))).toBe(
      `[g,t,3]::OffsetAndMetadata(offset=42, leaderEpoch=Optional.empty, metadata=, commitTimestamp=${T}, expireTimestamp=Some(${T + 1}))\n`,
    );
    expect(shown(OLD, offsetKey, null)).toBe('[g,t,3]::NULL\n');
  });

  test('by the new one: a line of JSON', () => {
    const key = '{"key":{"version":1,"data":{"group":"g","topic":"t","partition":3}}';
    expect(shown(NEW, offsetKey, offsetValue)).toBe(
      `${key},"value":{"version":3,"data":{"offset":42,"leaderEpoch":5,"metadata":"why","commitTimestamp":${T}}}}\n`,
    );
    expect(shown(NEW, offsetKey, null)).toBe(`${key},"value":null}\n`);
    expect(shown(NEW, offsetKey, Buffer.from([0, 9, 1]))).toBe(`${key},"value":{"version":9,"data":"unknown"}}\n`);
  });

  test.each([OLD, NEW, 'OffsetsMessageFormatter'])('%s skips groups, and what is no record of this topic', name => {
    expect(shown(name, groupKey, groupValue())).toBe('');
    expect(shown(name, newerKey, null)).toBe('');
    expect(shown(name, null, offsetValue)).toBe('');
  });
});

describe('the formatters of groups', () => {
  const OLD = 'kafka.coordinator.group.GroupMetadataManager$GroupMetadataMessageFormatter';
  const NEW = 'org.apache.kafka.tools.consumer.GroupMetadataMessageFormatter';

  test('by the old name of the class: a line of text', () => {
    expect(shown(OLD, groupKey, groupValue())).toBe(
      'g::GroupMetadata(groupId=g, generation=7, protocolType=Some(consumer), currentState=Stable, members=HashMap(m -> MemberMetadata(memberId=m, groupInstanceId=Some(i), clientId=c, clientHost=/127.0.0.1, sessionTimeoutMs=10000, rebalanceTimeoutMs=60000, supportedProtocols=List(range))))\n',
    );
    expect(shown(OLD, groupKey, empty)).toBe(
      'g::GroupMetadata(groupId=g, generation=8, protocolType=Some(consumer), currentState=Empty, members=HashMap())\n',
    );
    expect(shown(OLD, groupKey, null)).toBe('g::NULL\n');
    expect(shown(OLD, offsetKey, offsetValue)).toBe('');
  });

  test('by the new one: a line of JSON, in which members’ bytes are base64', () => {
    const { key, value } = JSON.parse(shown(NEW, groupKey, groupValue())) as Record<string, { data: unknown }>;
    expect(key).toEqual({ version: 2, data: { group: 'g' } });
    const bytes = {
      subscription: member.subscription.toString('base64'),
      assignment: member.assignment.toString('base64'),
    };
    expect(value).toEqual({ version: 3, data: { ...group, members: [{ ...member, ...bytes }] } });
    expect(shown(NEW, offsetKey, offsetValue)).toBe('');
  });
});

describe('the decoder of kafka-dump-log', () => {
  const dumped = (key: Buffer | null, value: Buffer | null) =>
    groupRecordContents({ offset: 9, timestamp: T, key, value });

  test('shows offsets as JSON, and what is forgotten', () => {
    const key = ' key: {"type":"1","data":{"group":"g","topic":"t","partition":3}}';
    expect(dumped(offsetKey, offsetValue)).toBe(
      `${key} payload: {"version":"3","data":{"offset":42,"leaderEpoch":5,"metadata":"why","commitTimestamp":${T}}}`,
    );
    expect(dumped(offsetKey, null)).toBe(`${key} payload: <DELETE>`);
  });

  test('shows what consumers tell each other, but not what other members do', () => {
    expect(dumped(groupKey, groupValue())).toContain(
      '"subscription":{"topics":["t"],"userData":null},"assignment":{"assignedPartitions":[{"topic":"t","partitions":[3]}],"userData":null}}]}}',
    );
    const base64 = member.assignment.toString('base64');
    expect(dumped(groupKey, groupValue({ protocolType: 'connect' }))).toContain(`"assignment":"${base64}"`);
  });

  test('leaves records of the newer protocol out, and refuses those of other topics', () => {
    expect(dumped(newerKey, Buffer.from([0, 0]))).toBe(' key: <UNKNOWN> payload: <UNKNOWN>');
    expect(() => dumped(null, offsetValue)).toThrow('the record at offset 9 has no key');
  });
});

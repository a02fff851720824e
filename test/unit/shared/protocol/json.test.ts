import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import { recordsBuffer } from '../../../../shared/protocol/json.ts';
import { message } from '../../../../shared/protocol/message.ts';
import { CreateTopics } from '../../../../shared/protocol/messages/create-topics.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { bytes, exact64, float64, int16, ZERO_UUID } from '../../../../shared/protocol/schema.ts';

const m = message(
  { name: 'M', versions: { min: 0, max: 0 }, flexibleSince: null },
  {
    exact: exact64({ default: 0n }),
    blob: bytes({ nullable: 0, default: null }),
    ratio: float64({ default: 0 }),
    small: int16({ default: 0 }),
  },
);

describe('to JSON', () => {
  test('has the fields of the version, defaults filled in', () => {
    expect(Metadata.request.toJson({ topics: [{ name: 'a' }] }, 0)).toEqual({ topics: [{ name: 'a' }] });
    expect(Metadata.request.toJson({ topics: [{ name: 'a' }] }, 12)).toEqual({
      topics: [{ topicId: ZERO_UUID, name: 'a' }],
      allowAutoTopicCreation: true,
      includeTopicAuthorizedOperations: false,
    });
    expect(Fetch.request.toJson({ maxWaitMs: 1, minBytes: 2, topics: [] }, 15)).toMatchObject({
      clusterId: null,
      replicaState: { replicaId: -1, replicaEpoch: -1 },
    });
  });

  test('has bytes as base64, 64 bits as a number only where that is exact', () => {
    const numbers = (exact: bigint) => (m.toJson({ exact }, 0) as { exact: unknown }).exact;
    expect(numbers(2n ** 53n - 1n)).toBe(2 ** 53 - 1);
    expect(numbers(-(2n ** 53n))).toBe('-9007199254740992');
    expect(m.toJson({ blob: Buffer.from([255, 254]) }, 0)).toMatchObject({ blob: '//4=' });
    const records = [Buffer.from('a'), Buffer.from('bc')];
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
    expect(JSON.stringify(Produce.request.toJson({ acks: 1, timeoutMs: 1, topicData }, 3))).toContain(
      '"records":"YWJj"',
    );
  });

  test('loses nothing silently', () => {
    expect(() => Produce.request.toJson({ transactionalId: 'x', acks: 1, timeoutMs: 1, topicData: [] }, 2)).toThrow(
      'ProduceRequest.transactionalId cannot be sent in version 2',
    );
  });
});

describe('from JSON', () => {
  test('fills in what has a default', () => {
    expect(CreateTopics.request.fromJson({ topics: [] }, 4)).toEqual({
      topics: [],
      timeoutMs: 60000,
      validateOnly: false,
    });
    expect(Fetch.request.fromJson({ maxWaitMs: 1, minBytes: 2, topics: [] }, 4).replicaState).toEqual({
      replicaId: -1,
      replicaEpoch: -1n,
    });
  });

  test('takes 64 bits as numbers or as text', () => {
    const partition = (timestamp: unknown) => ({ partitionIndex: 0, timestamp });
    const read = (timestamp: unknown) => {
      const json = { replicaId: -1, topics: [{ name: 't', partitions: [partition(timestamp)] }] };
      return ListOffsets.request.fromJson(json, 1).topics[0]!.partitions[0]!.timestamp;
    };
    expect(read(-2)).toBe(-2);
    expect(read('-2')).toBe(-2);
    expect(read('9223372036854775807')).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => read('9223372036854775808')).toThrow(/timestamp must be a 64-bit integer/);
    expect(m.fromJson({ exact: '9223372036854775807' }, 0).exact).toBe(2n ** 63n - 1n);
    expect(m.fromJson({ exact: 7 }, 0).exact).toBe(7n);
  });

  test.each<[string, () => unknown, string]>([
    [
      'an unknown field',
      () => Metadata.request.fromJson({ topic: [] }, 9),
      'MetadataRequest.topic is not a field of version 9',
    ],
    [
      'a field of another version',
      () => Metadata.request.fromJson({ topics: null, allowAutoTopicCreation: true }, 3),
      'allowAutoTopicCreation is not a field of version 3',
    ],
    ['a name that every object has', () => m.fromJson(JSON.parse('{"__proto__": 1}'), 0), 'M.__proto__ is not a field'],
    ['the constructor', () => m.fromJson({ constructor: 1 }, 0), 'M.constructor is not a field'],
    ['a missing field', () => Metadata.request.fromJson({}, 9), 'MetadataRequest.topics is missing'],
    [
      'a missing field deep inside',
      () => Metadata.request.fromJson({ topics: [{ name: 'a' }, {}] }, 9),
      'MetadataRequest.topics[1].name is missing',
    ],
    [
      'null where it is not allowed',
      () => Metadata.request.fromJson({ topics: null }, 0),
      'MetadataRequest.topics may not be null',
    ],
    [
      'a number for text',
      () => Metadata.request.fromJson({ topics: [{ name: 7 }] }, 9),
      'MetadataRequest.topics[0].name must be a string',
    ],
    [
      'text for an array',
      () => Metadata.request.fromJson({ topics: 'a' }, 9),
      'MetadataRequest.topics must be an array',
    ],
    [
      'text for a struct',
      () => Metadata.request.fromJson({ topics: ['a'] }, 9),
      'MetadataRequest.topics[0] must be an object',
    ],
    ['an array for the message', () => Metadata.request.fromJson([], 9), 'MetadataRequest must be an object'],
    [
      'text for a boolean',
      () => Metadata.request.fromJson({ topics: [], allowAutoTopicCreation: 'yes' }, 9),
      'must be true or false',
    ],
    [
      'an id that is none',
      () => Metadata.request.fromJson({ topics: [{ name: 'a', topicId: 'x' }] }, 12),
      'topics[0].topicId must be an id of 22 characters',
    ],
    ['a number out of range', () => m.fromJson({ small: 40000 }, 0), 'M.small must be an integer from -32768 to 32767'],
    ['a fraction', () => m.fromJson({ small: 0.5 }, 0), 'M.small must be an integer'],
    ['text for a float', () => m.fromJson({ ratio: '1' }, 0), 'M.ratio must be a number'],
    ['bytes that are no base64', () => m.fromJson({ blob: 'a*==' }, 0), 'M.blob must be base64'],
    ['bytes that are cut short', () => m.fromJson({ blob: 'YWJ' }, 0), 'M.blob must be base64'],
    ['a version that does not exist', () => m.fromJson({}, 1), 'there is no version 1'],
  ])('refuses %s', (_, read, reason) => {
    expect(read).toThrow(ProtocolError);
    expect(read).toThrow(reason);
  });
});

test('recordsBuffer copies only what is in several pieces', () => {
  const whole = Buffer.from('abc');
  expect(recordsBuffer(null)).toHaveLength(0);
  expect(recordsBuffer(whole)).toBe(whole);
  expect(recordsBuffer([whole])).toBe(whole);
  expect(recordsBuffer([whole, whole]).toString()).toBe('abcabc');
  expect(recordsBuffer([])).toHaveLength(0);
});

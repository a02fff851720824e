import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { ErrorCode, errorByCode, ProtocolError } from '../../../../shared/protocol/errors.ts';
import {
  decodeRequestHeader,
  decodeResponseHeader,
  encodeRequestFrame,
  encodeResponseFrame,
} from '../../../../shared/protocol/headers.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { CreateTopics } from '../../../../shared/protocol/messages/create-topics.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex');
const joined = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('hex');

describe('frames known byte for byte', () => {
  const request = hex('00 00 00 11 | 00 12 00 03 00 00 00 07 00 01 63 00 | 02 6e 02 31 00');

  test('ApiVersions v3 request', () => {
    const body = { clientSoftwareName: 'n', clientSoftwareVersion: '1' };
    expect(joined(encodeRequestFrame(ApiVersions, 3, 7, 'c', body))).toBe(request.toString('hex'));
    const header = decodeRequestHeader(request.subarray(4));
    expect(header).toEqual({ apiKey: 18, apiVersion: 3, correlationId: 7, clientId: 'c', bodyOffset: 12 });
    expect(ApiVersions.request.decode(request.subarray(4), 3, header.bodyOffset)).toEqual(body);
  });

  test('ApiVersions v3 response: its header never has tagged fields', () => {
    const frame = hex('00 00 00 13 | 00 00 00 07 | 00 00 | 02 00 00 00 00 00 0b 00 | 00 00 00 00 | 00');
    const body = ApiVersions.response.encode(
      { errorCode: 0, apiKeys: [{ apiKey: 0, minVersion: 0, maxVersion: 11 }], throttleTimeMs: 0 },
      3,
    );
    expect(joined(encodeResponseFrame(ApiVersions, 3, 7, body))).toBe(frame.toString('hex'));
    expect(decodeResponseHeader(ApiVersions, 3, frame.subarray(4))).toEqual({ correlationId: 7, bodyOffset: 4 });
  });

  test('an ApiVersions that is too new is answered in version 0', () => {
    const frame = hex('00 00 00 10 | 00 00 00 07 | 00 23 | 00 00 00 01 | 00 12 00 00 00 04');
    const body = { errorCode: 35, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }], throttleTimeMs: 0 };
    expect(joined(encodeResponseFrame(ApiVersions, 99, 7, ApiVersions.response.encode(body, 0)))).toBe(
      frame.toString('hex'),
    );
  });
});

/** kafkajs' encoders are an independent reading of the protocol: a wrong table cannot agree with them by accident. */
describe('kafkajs reads and writes the same bytes', () => {
  const require = createRequire(import.meta.url);
  const kafkajs = (path: string): any => require(`../../../../node_modules/kafkajs/src/protocol/requests/${path}`);

  async function encodedByKafkajs(path: string, options: unknown): Promise<Buffer> {
    return (await kafkajs(path)(options).encode()).buffer;
  }

  test.each([0, 1, 2, 3, 4, 5, 6])('Metadata v%i', async version => {
    const theirs = await encodedByKafkajs(`metadata/v${version}/request`, {
      topics: ['a', 'b'],
      allowAutoTopicCreation: true,
    });
    expect(Metadata.request.decode(theirs, version).topics?.map(t => t.name)).toEqual(['a', 'b']);
    const response = Buffer.concat(
      Metadata.response.encode(
        {
          brokers: [{ nodeId: 1, host: 'h', port: 9092 }],
          clusterId: 'cluster',
          controllerId: 1,
          topics: [
            {
              errorCode: 0,
              name: 'a',
              partitions: [
                {
                  errorCode: 0,
                  partitionIndex: 0,
                  leaderId: 1,
                  replicaNodes: [1, 2],
                  isrNodes: [1],
                  offlineReplicas: [2],
                },
              ],
            },
          ],
        },
        version,
      ),
    );
    const decoded = await kafkajs(`metadata/v${version}/response`).decode(response);
    expect(decoded.brokers[0]).toMatchObject({ nodeId: 1, host: 'h', port: 9092 });
    expect(decoded.topicMetadata[0].partitionMetadata[0]).toMatchObject({
      partitionId: 0,
      leader: 1,
      isr: [1],
      replicas: [1, 2],
    });
  });

  test.each([3, 4, 5, 6, 7])('Produce v%i', async version => {
    const records = Buffer.from('not looked at');
    const ours = Produce.response.encode(
      {
        responses: [
          {
            name: 't',
            partitionResponses: [{ index: 2, errorCode: 0, baseOffset: 77, logStartOffset: version >= 5 ? 5 : -1 }],
          },
        ],
      },
      version,
    );
    const decoded = await kafkajs(`produce/v${version}/response`).decode(Buffer.concat(ours));
    expect(decoded.topics[0].partitions[0]).toMatchObject({ partition: 2, errorCode: 0, baseOffset: '77' });
    const request = Produce.request.encode(
      { acks: -1, timeoutMs: 5, topicData: [{ name: 't', partitionData: [{ index: 2, records }] }] },
      version,
    );
    expect(Produce.request.decode(Buffer.concat(request), version).topicData[0]!.partitionData[0]!.records).toEqual(
      records,
    );
  });

  test.each([4, 5, 6, 7, 8, 9, 10, 11])('Fetch v%i', async version => {
    const theirs = await encodedByKafkajs(`fetch/v${version}/request`, {
      replicaId: -1,
      maxWaitTime: 10,
      minBytes: 1,
      maxBytes: 1000,
      isolationLevel: 1,
      rackId: 'r',
      topics: [{ topic: 't', partitions: [{ partition: 3, fetchOffset: '12345', maxBytes: 99 }] }],
    });
    const decoded = Fetch.request.decode(theirs, version);
    expect(decoded).toMatchObject({ replicaId: -1, maxWaitMs: 10, minBytes: 1, maxBytes: 1000, isolationLevel: 1 });
    expect(decoded.topics[0]!.partitions[0]).toMatchObject({ partition: 3, fetchOffset: 12345, partitionMaxBytes: 99 });
  });

  test.each([0, 1, 2, 3])('ListOffsets v%i', async version => {
    const theirs = await encodedByKafkajs(`listOffsets/v${version}/request`, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ topic: 't', partitions: [{ partition: 1, timestamp: -2, maxNumOffsets: 1 }] }],
    });
    expect(ListOffsets.request.decode(theirs, version).topics[0]!.partitions[0]).toMatchObject({
      partitionIndex: 1,
      timestamp: -2,
    });
  });

  test.each([0, 1, 2, 3])('CreateTopics v%i', async version => {
    const theirs = await encodedByKafkajs(`createTopics/v${version}/request`, {
      topics: [
        { topic: 't', numPartitions: 3, replicationFactor: 2, configEntries: [{ name: 'retention.ms', value: '5' }] },
      ],
      timeout: 7,
      validateOnly: true,
    });
    const decoded = CreateTopics.request.decode(theirs, version);
    expect(decoded.topics[0]).toMatchObject({
      name: 't',
      numPartitions: 3,
      replicationFactor: 2,
      configs: [{ name: 'retention.ms', value: '5' }],
    });
    expect(decoded.timeoutMs).toBe(7);
  });
});

describe('bounds and refusals', () => {
  test('a length beyond the bytes that are left is refused before anything is allocated', () => {
    const claim = hex('7f ff ff ff');
    expect(() => Metadata.request.decode(claim, 1)).toThrow(
      /topics: claims 2147483647 elements where 0 bytes are left/,
    );
  });

  test('a null where the version has none names the field', () => {
    expect(() => Metadata.request.decode(hex('ff ff ff ff'), 0)).toThrow(/MetadataRequest v0: topics: is null/);
  });

  test('a value that the version cannot carry is not lost silently', () => {
    const records = null;
    const topicData = [{ name: 't', partitionData: [{ index: 0, records }] }];
    expect(() => Produce.request.encode({ transactionalId: 'tx', acks: 1, timeoutMs: 1, topicData }, 2)).toThrow(
      ProtocolError,
    );
    expect(() => Produce.request.encode({ transactionalId: 'tx', acks: 1, timeoutMs: 1, topicData }, 3)).not.toThrow();
  });

  test('record bytes are passed on as views, and views are what decoding yields', () => {
    const records = Buffer.alloc(5000, 7);
    const chunks = Produce.request.encode(
      {
        acks: 1,
        timeoutMs: 1,
        topicData: [
          { name: 't', partitionData: [{ index: 0, records: [records.subarray(0, 2000), records.subarray(2000)] }] },
        ],
      },
      9,
    );
    expect(chunks.filter(chunk => chunk.buffer === records.buffer)).toHaveLength(2);
    const bytes = Buffer.concat(chunks);
    const decoded = Produce.request.decode(bytes, 9).topicData[0]!.partitionData[0]!.records as Buffer;
    expect(decoded.buffer).toBe(bytes.buffer);
    expect(decoded.equals(records)).toBe(true);
  });

  test('64-bit values saturate where they are numbers', () => {
    const body = hex(
      'ffffffff 00 00000001 00 01 74 00000001 00000000 7fffffffffffffff'.replace(
        '00 00000001 00 01 74',
        '00000001 0001 74',
      ),
    );
    expect(ListOffsets.request.decode(body, 1).topics[0]!.partitions[0]!.timestamp).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('JSON that does not fit names the path', () => {
    expect(() => Metadata.request.fromJson({ topics: [{ name: 7 }] }, 9)).toThrow(
      'MetadataRequest.topics[0].name must be a string',
    );
    expect(() => Metadata.request.fromJson({ topic: [] }, 9)).toThrow(
      'MetadataRequest.topic is not a field of version 9',
    );
  });
});

test('an unknown error code is taken for UNKNOWN_SERVER_ERROR', () => {
  expect(errorByCode(6)).toMatchObject({ name: 'NOT_LEADER_OR_FOLLOWER', retriable: true, refreshMetadata: true });
  expect(errorByCode(9999).code).toBe(ErrorCode.UNKNOWN_SERVER_ERROR);
});

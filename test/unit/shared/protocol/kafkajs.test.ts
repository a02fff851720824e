import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { Api, RequestInput } from '../../../../shared/protocol/api.ts';
import { encodeRequestFrame } from '../../../../shared/protocol/headers.ts';
import { AlterConfigs } from '../../../../shared/protocol/messages/alter-configs.ts';
import { AlterPartitionReassignments } from '../../../../shared/protocol/messages/alter-partition-reassignments.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { CreatePartitions } from '../../../../shared/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../../../shared/protocol/messages/create-topics.ts';
import { DeleteRecords } from '../../../../shared/protocol/messages/delete-records.ts';
import { DeleteTopics } from '../../../../shared/protocol/messages/delete-topics.ts';
import { DescribeConfigs } from '../../../../shared/protocol/messages/describe-configs.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { InitProducerId } from '../../../../shared/protocol/messages/init-producer-id.ts';
import { ListOffsets } from '../../../../shared/protocol/messages/list-offsets.ts';
import { ListPartitionReassignments } from '../../../../shared/protocol/messages/list-partition-reassignments.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { recordsBuffer } from '../../../../shared/protocol/json.ts';

/** What a library without types returns. */
type Untyped = ReturnType<typeof JSON.parse>;

/** kafkajs' codec is an independent reading of the protocol: a wrong table cannot agree with it by accident. */
interface KafkajsRequest {
  apiKey: number;
  apiVersion: number;
  encode(): Promise<{ buffer: Buffer }>;
}
interface KafkajsExchange {
  request: KafkajsRequest;
  response: { decode(body: Buffer): Promise<Untyped> };
}
interface KafkajsApi {
  versions: string[];
  protocol(options: { version: string }): (options: object) => KafkajsExchange;
}

const require = createRequire(import.meta.url);
const kafkajs = (require('kafkajs/src/protocol/requests/index.js') as { requests: Record<string, KafkajsApi> })
  .requests;
const kafkajsFrame = require('kafkajs/src/protocol/request.js') as (options: object) => Promise<{ buffer: Buffer }>;

function exchange(api: Api, version: number, options: object): KafkajsExchange {
  return kafkajs[api.name]!.protocol({ version: String(version) })(options);
}

const versionsOf = (api: Api) => kafkajs[api.name]!.versions.map(Number);

/** Both encode the same request: the frames must be the same, and ours must decode to what was meant. */
async function expectSameRequest<A extends Api>(
  api: A,
  version: number,
  theirs: object,
  ours: RequestInput<A>,
): Promise<void> {
  const { request } = exchange(api, version, theirs);
  const frame = await kafkajsFrame({ correlationId: 42, clientId: 'me', request });
  expect(Buffer.concat(encodeRequestFrame(api, version, 42, 'me', ours)).toString('hex')).toBe(
    frame.buffer.toString('hex'),
  );
  const body = (await request.encode()).buffer;
  expect(api.request.decode(body, version)).toMatchObject(ours as object);
}

/** What kafkajs reads from our response. */
function readByKafkajs(api: Api, version: number, body: Buffer[], options: object = {}): Promise<Untyped> {
  return exchange(api, version, { topics: [], topicData: [], ...options }).response.decode(Buffer.concat(body));
}

describe('Metadata', () => {
  test.each(versionsOf(Metadata))('request v%i', async version => {
    const allowAutoTopicCreation = version < 4;
    const topics = [{ name: 'a' }, { name: 'ü' }];
    await expectSameRequest(
      Metadata,
      version,
      { topics: ['a', 'ü'], allowAutoTopicCreation },
      { topics, allowAutoTopicCreation },
    );
    if (version > 0) await expectSameRequest(Metadata, version, { topics: [] }, { topics: null });
  });

  test.each(versionsOf(Metadata))('response v%i', async version => {
    const partition = { errorCode: 9, partitionIndex: 3, leaderId: 1, replicaNodes: [1, 2], isrNodes: [1] };
    const body = Metadata.response.encode(
      {
        throttleTimeMs: 8,
        brokers: [{ nodeId: 1, host: 'h', port: 9092, rack: 'r' }],
        clusterId: 'c',
        controllerId: 7,
        topics: [{ errorCode: 0, name: 'a', isInternal: true, partitions: [{ ...partition, offlineReplicas: [2] }] }],
      },
      version,
    );
    const read = await readByKafkajs(Metadata, version, body);
    expect(read.brokers).toEqual([{ nodeId: 1, host: 'h', port: 9092, ...(version > 0 && { rack: 'r' }) }]);
    expect(read.controllerId).toBe(version > 0 ? 7 : undefined);
    expect(read.clusterId).toBe(version > 1 ? 'c' : undefined);
    expect(read.clientSideThrottleTime ?? read.throttleTime).toBe(version > 2 ? 8 : undefined);
    expect(read.topicMetadata).toEqual([
      {
        topicErrorCode: 0,
        topic: 'a',
        ...(version > 0 && { isInternal: true }),
        partitionMetadata: [
          {
            partitionErrorCode: 9,
            partitionId: 3,
            leader: 1,
            replicas: [1, 2],
            isr: [1],
            ...(version > 4 && { offlineReplicas: [2] }),
          },
        ],
      },
    ]);
  });
});

describe('Produce', () => {
  test.each(versionsOf(Produce))('request v%i', async version => {
    const messages = [{ key: 'k', value: 'v'.repeat(1500), timestamp: 1600000000000 }];
    const transactionalId = version >= 3 ? 'tx' : null;
    const theirs = {
      acks: -1,
      timeout: 5,
      transactionalId,
      topicData: [{ topic: 't', partitions: [{ partition: 2, messages, firstSequence: 0 }] }],
    };
    const body = (await exchange(Produce, version, theirs).request.encode()).buffer;
    const decoded = Produce.request.decode(body, version);
    expect(decoded).toMatchObject({ acks: -1, timeoutMs: 5, transactionalId });
    expect(decoded.topicData[0]).toMatchObject({ name: 't', partitionData: [{ index: 2 }] });
    const records = recordsBuffer(decoded.topicData[0]!.partitionData[0]!.records);
    expect(records.includes('v'.repeat(1500))).toBe(true);
    expect(Buffer.concat(Produce.request.encode(decoded, version)).equals(body)).toBe(true);
  });

  test.each(versionsOf(Produce))('response v%i', async version => {
    const partition = { index: 2, errorCode: 3, baseOffset: 2 ** 40, logAppendTimeMs: 11, logStartOffset: 12 };
    const responses = [{ name: 't', partitionResponses: [partition] }];
    const read = await readByKafkajs(
      Produce,
      version,
      Produce.response.encode({ responses, throttleTimeMs: 9 }, version),
    );
    const [topic] = read.topics;
    expect(topic.topicName).toBe('t');
    expect(topic.partitions[0]).toMatchObject({ partition: 2, errorCode: 3 });
    expect(topic.partitions[0].baseOffset ?? topic.partitions[0].offset).toBe(String(2 ** 40));
    expect(topic.partitions[0].logStartOffset).toBe(version > 4 ? '12' : undefined);
    expect(read.clientSideThrottleTime ?? read.throttleTime).toBe(version > 0 ? 9 : undefined);
  });
});

describe('Fetch', () => {
  test.each(versionsOf(Fetch))('request v%i', async version => {
    const has = (since: number, fields: object) => (version >= since ? fields : {});
    const theirs = {
      replicaId: 4,
      maxWaitTime: 10,
      minBytes: 1,
      maxBytes: 1000,
      isolationLevel: 1,
      sessionId: 17,
      sessionEpoch: 18,
      rackId: 'r',
      forgottenTopics: [{ topic: 'f', partitions: [6, 7] }],
      topics: [
        {
          topic: 't',
          partitions: [
            { partition: 3, currentLeaderEpoch: 8, fetchOffset: '12345678901', logStartOffset: '5', maxBytes: 99 },
          ],
        },
      ],
    };
    const partition = {
      partition: 3,
      fetchOffset: 12345678901,
      partitionMaxBytes: 99,
      ...has(5, { logStartOffset: 5 }),
      ...has(9, { currentLeaderEpoch: 8 }),
    };
    await expectSameRequest(Fetch, version, theirs, {
      replicaId: 4,
      maxWaitMs: 10,
      minBytes: 1,
      ...has(3, { maxBytes: 1000 }),
      ...has(4, { isolationLevel: 1 }),
      ...has(7, { sessionId: 17, sessionEpoch: 18, forgottenTopicsData: [{ topic: 'f', partitions: [6, 7] }] }),
      ...has(11, { rackId: 'r' }),
      topics: [{ topic: 't', partitions: [partition] }],
    });
  });

  test.each(versionsOf(Fetch))('response v%i', async version => {
    const partition = {
      partitionIndex: 3,
      errorCode: 1,
      highWatermark: 100,
      lastStableOffset: 90,
      logStartOffset: 10,
      abortedTransactions: [{ producerId: 5, firstOffset: 6 }],
      records: Buffer.alloc(0),
      preferredReadReplica: version >= 11 ? 2 : -1,
    };
    const body = {
      throttleTimeMs: 9,
      errorCode: 0,
      sessionId: version >= 7 ? 33 : 0,
      responses: [{ topic: 't', partitions: [partition] }],
    };
    const read = await readByKafkajs(Fetch, version, Fetch.response.encode(body, version), { maxWaitTime: 1 });
    expect(read.responses[0].topicName).toBe('t');
    expect(read.responses[0].partitions[0]).toEqual({
      partition: 3,
      errorCode: 1,
      highWatermark: '100',
      messages: [],
      ...(version >= 4 && { lastStableOffset: '90', abortedTransactions: [{ producerId: '5', firstOffset: '6' }] }),
      ...(version >= 5 && { lastStartOffset: '10' }),
      ...(version >= 11 && { preferredReadReplica: 2 }),
    });
    expect(read.sessionId).toBe(version >= 7 ? 33 : undefined);
  });
});

describe('ListOffsets', () => {
  test.each(versionsOf(ListOffsets))('request v%i', async version => {
    const partitions = [{ partition: 1, timestamp: -2, maxNumOffsets: 3 }];
    const ours = { partitionIndex: 1, timestamp: -2, ...(version === 0 && { maxNumOffsets: 3 }) };
    await expectSameRequest(
      ListOffsets,
      version,
      { replicaId: -1, isolationLevel: 1, topics: [{ topic: 't', partitions }] },
      { replicaId: -1, ...(version >= 2 && { isolationLevel: 1 }), topics: [{ name: 't', partitions: [ours] }] },
    );
  });

  test.each(versionsOf(ListOffsets))('response v%i', async version => {
    const found = version === 0 ? { oldStyleOffsets: [8, 7] } : { timestamp: 6, offset: 5 };
    const partition = { partitionIndex: 1, errorCode: 2, ...found };
    const body = ListOffsets.response.encode({ topics: [{ name: 't', partitions: [partition] }] }, version);
    const read = await readByKafkajs(ListOffsets, version, body);
    const expected = version === 0 ? { offsets: ['8', '7'] } : { timestamp: '6', offset: '5' };
    expect(read.responses).toEqual([{ topic: 't', partitions: [{ partition: 1, errorCode: 2, ...expected }] }]);
  });
});

describe('CreateTopics', () => {
  test.each(versionsOf(CreateTopics))('request v%i', async version => {
    const theirs = {
      topic: 't',
      numPartitions: 3,
      replicationFactor: 2,
      replicaAssignment: [{ partition: 0, replicas: [1, 2] }],
      configEntries: [
        { name: 'retention.ms', value: '5' },
        { name: 'cleanup.policy', value: null },
      ],
    };
    const ours = {
      name: 't',
      numPartitions: 3,
      replicationFactor: 2,
      assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }],
      configs: theirs.configEntries,
    };
    await expectSameRequest(
      CreateTopics,
      version,
      { topics: [theirs], timeout: 7, validateOnly: true },
      { topics: [ours], timeoutMs: 7, ...(version >= 1 && { validateOnly: true }) },
    );
  });

  test.each(versionsOf(CreateTopics))('response v%i', async version => {
    const topics = [
      { name: 't', errorCode: 36, errorMessage: 'no' },
      { name: 'u', errorCode: 0, errorMessage: null },
    ];
    const read = await readByKafkajs(
      CreateTopics,
      version,
      CreateTopics.response.encode({ topics, throttleTimeMs: 4 }, version),
    );
    expect(read.topicErrors).toEqual([
      { topic: 't', errorCode: 36, ...(version >= 1 && { errorMessage: 'no' }) },
      { topic: 'u', errorCode: 0, ...(version >= 1 && { errorMessage: null }) },
    ]);
  });
});

describe('DeleteTopics', () => {
  test.each(versionsOf(DeleteTopics))('request v%i', async version => {
    const topicNames = ['t', 'u'];
    await expectSameRequest(DeleteTopics, version, { topics: topicNames, timeout: 7 }, { topicNames, timeoutMs: 7 });
  });

  test.each(versionsOf(DeleteTopics))('response v%i', async version => {
    const body = DeleteTopics.response.encode({ throttleTimeMs: 4, responses: [{ name: 't', errorCode: 3 }] }, version);
    const read = await readByKafkajs(DeleteTopics, version, body);
    expect(read.topicErrors).toEqual([{ topic: 't', errorCode: 3 }]);
    expect(read.clientSideThrottleTime).toBe(version >= 1 ? 4 : undefined);
  });
});

describe('DeleteRecords', () => {
  test.each(versionsOf(DeleteRecords))('request v%i', async version => {
    const theirs = { topics: [{ topic: 't', partitions: [{ partition: 1, offset: '-1' }] }], timeout: 7 };
    const ours = { topics: [{ name: 't', partitions: [{ partitionIndex: 1, offset: -1 }] }], timeoutMs: 7 };
    await expectSameRequest(DeleteRecords, version, theirs, ours);
  });

  test.each(versionsOf(DeleteRecords))('response v%i', async version => {
    const partitions = [{ partitionIndex: 1, lowWatermark: 9, errorCode: 0 }];
    const body = DeleteRecords.response.encode({ throttleTimeMs: 4, topics: [{ name: 't', partitions }] }, version);
    const read = await readByKafkajs(DeleteRecords, version, body);
    expect(read.topics).toEqual([{ topic: 't', partitions: [{ partition: 1, lowWatermark: 9n, errorCode: 0 }] }]);
    expect(read.clientSideThrottleTime ?? read.throttleTime).toBe(4);
  });
});

describe('DescribeConfigs', () => {
  test.each(versionsOf(DescribeConfigs))('request v%i', async version => {
    const theirs = [
      { type: 2, name: 't', configNames: ['a', 'b'] },
      { type: 4, name: '1' },
    ];
    const resources = [
      { resourceType: 2, resourceName: 't', configurationKeys: ['a', 'b'] },
      { resourceType: 4, resourceName: '1', configurationKeys: null },
    ];
    await expectSameRequest(
      DescribeConfigs,
      version,
      { resources: theirs, includeSynonyms: true },
      { resources, ...(version >= 1 && { includeSynonyms: true }) },
    );
  });

  test.each(versionsOf(DescribeConfigs))('response v%i', async version => {
    const config = { name: 'a', value: null, readOnly: true, isSensitive: true };
    const versioned =
      version === 0 ? { isDefault: true } : { configSource: 5, synonyms: [{ name: 's', value: 'x', source: 4 }] };
    const result = {
      errorCode: 0,
      errorMessage: null,
      resourceType: 2,
      resourceName: 't',
      configs: [{ ...config, ...versioned }],
    };
    const body = DescribeConfigs.response.encode({ throttleTimeMs: 4, results: [result] }, version);
    const read = await readByKafkajs(DescribeConfigs, version, body, { resources: [] });
    expect(read.resources[0]).toMatchObject({ errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 't' });
    expect(read.resources[0].configEntries[0]).toEqual({
      configName: 'a',
      configValue: null,
      readOnly: true,
      isDefault: true,
      configSource: 5,
      isSensitive: true,
      ...(version >= 1 && { configSynonyms: [{ configName: 's', configValue: 'x', configSource: 4 }] }),
    });
  });
});

describe('AlterConfigs', () => {
  test.each(versionsOf(AlterConfigs))('request v%i', async version => {
    const theirs = [{ type: 2, name: 't', configEntries: [{ name: 'retention.ms', value: '5' }] }];
    const ours = [{ resourceType: 2, resourceName: 't', configs: [{ name: 'retention.ms', value: '5' }] }];
    await expectSameRequest(
      AlterConfigs,
      version,
      { resources: theirs, validateOnly: true },
      { resources: ours, validateOnly: true },
    );
  });

  test.each(versionsOf(AlterConfigs))('response v%i', async version => {
    const responses = [{ errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 't' }];
    const read = await readByKafkajs(
      AlterConfigs,
      version,
      AlterConfigs.response.encode({ throttleTimeMs: 4, responses }, version),
    );
    expect(read.resources).toEqual([{ errorCode: 0, errorMessage: null, resourceType: 2, resourceName: 't' }]);
    expect(read.clientSideThrottleTime ?? read.throttleTime).toBe(4);
  });
});

describe('CreatePartitions', () => {
  test.each(versionsOf(CreatePartitions))('request v%i', async version => {
    const topicPartitions = [
      {
        topic: 't',
        count: 4,
        assignments: [
          [1, 2],
          [2, 3],
        ],
      },
      { topic: 'u', count: 5 },
    ];
    const topics = [
      { name: 't', count: 4, assignments: [{ brokerIds: [1, 2] }, { brokerIds: [2, 3] }] },
      { name: 'u', count: 5, assignments: null },
    ];
    await expectSameRequest(
      CreatePartitions,
      version,
      { topicPartitions, timeout: 7, validateOnly: true },
      { topics, timeoutMs: 7, validateOnly: true },
    );
  });

  test.each(versionsOf(CreatePartitions))('response v%i', async version => {
    const results = [{ name: 't', errorCode: 37, errorMessage: 'no' }];
    const body = CreatePartitions.response.encode({ throttleTimeMs: 4, results }, version);
    const read = await readByKafkajs(CreatePartitions, version, body, { topicPartitions: [] });
    expect(read.topicErrors).toEqual([{ topic: 't', errorCode: 37, errorMessage: 'no' }]);
  });
});

describe('InitProducerId', () => {
  test.each(versionsOf(InitProducerId))('request v%i', async version => {
    for (const transactionalId of [null, 'tx']) {
      await expectSameRequest(
        InitProducerId,
        version,
        { transactionalId, transactionTimeout: 60_000 },
        { transactionalId, transactionTimeoutMs: 60_000 },
      );
    }
  });

  test.each(versionsOf(InitProducerId))('response v%i', async version => {
    const answer = { throttleTimeMs: 0, errorCode: 51, producerId: 2 ** 40, producerEpoch: 7 };
    const read = await readByKafkajs(InitProducerId, version, InitProducerId.response.encode(answer, version));
    expect(read).toMatchObject({ errorCode: 51, producerId: String(2 ** 40), producerEpoch: 7 });
  });
});

describe('reassignments, where kafkajs is flexible: the headers’ tagged fields are part of its bodies', () => {
  async function framesOf<A extends Api>(api: A, theirs: object, ours: RequestInput<A>): Promise<string[]> {
    const { request } = exchange(api, 0, theirs);
    const frame = await kafkajsFrame({ correlationId: 42, clientId: 'me', request });
    return [Buffer.concat(encodeRequestFrame(api, 0, 42, 'me', ours)), frame.buffer].map(each => each.toString('hex'));
  }
  const withHeader = (body: readonly Buffer[]) => Buffer.concat([Buffer.from([0]), ...body]);

  test('AlterPartitionReassignments', async () => {
    const partitionAssignment = [{ partition: 3, replicas: [2, 1] }];
    const [ours, theirs] = await framesOf(
      AlterPartitionReassignments,
      { topics: [{ topic: 't', partitionAssignment }], timeout: 7000 },
      { topics: [{ name: 't', partitions: [{ partitionIndex: 3, replicas: [2, 1] }] }], timeoutMs: 7000 },
    );
    expect(ours).toBe(theirs);
    const answer = {
      throttleTimeMs: 4,
      errorCode: 0,
      errorMessage: null,
      responses: [{ name: 't', partitions: [{ partitionIndex: 3, errorCode: 39, errorMessage: 'no' }] }],
    };
    const { response } = exchange(AlterPartitionReassignments, 0, { topics: [] });
    expect(await response.decode(withHeader(AlterPartitionReassignments.response.encode(answer, 0)))).toEqual({
      throttleTime: 4,
      errorCode: 0,
      responses: [{ topic: 't', partitions: [{ partition: 3, errorCode: 39 }] }],
    });
  });

  test('ListPartitionReassignments', async () => {
    const [ours, theirs] = await framesOf(
      ListPartitionReassignments,
      { topics: [{ topic: 't', partitions: [3, 4] }], timeout: 7000 },
      { topics: [{ name: 't', partitionIndexes: [3, 4] }], timeoutMs: 7000 },
    );
    expect(ours).toBe(theirs);
    const partition = { replicas: [2, 1], addingReplicas: [2], removingReplicas: [] };
    const topics = [{ name: 't', partitions: [{ partitionIndex: 3, ...partition }] }];
    const body = ListPartitionReassignments.response.encode(
      { throttleTimeMs: 4, errorCode: 0, errorMessage: null, topics },
      0,
    );
    const { response } = exchange(ListPartitionReassignments, 0, { topics: null });
    expect(await response.decode(withHeader(body))).toMatchObject({
      errorCode: 0,
      topics: [{ name: 't', partitions: [{ partition: 3, ...partition }] }],
    });
  });
});

describe('ApiVersions', () => {
  test.each(versionsOf(ApiVersions))('request v%i', async version => {
    await expectSameRequest(ApiVersions, version, {}, {});
  });

  test.each(versionsOf(ApiVersions))('response v%i', async version => {
    const apiKeys = [
      { apiKey: 0, minVersion: 0, maxVersion: 11 },
      { apiKey: 18, minVersion: 0, maxVersion: 4 },
    ];
    const body = ApiVersions.response.encode({ errorCode: 0, apiKeys, throttleTimeMs: 4 }, version);
    const read = await readByKafkajs(ApiVersions, version, body);
    expect(read.apiVersions).toEqual(apiKeys);
    expect(read.clientSideThrottleTime ?? read.throttleTime).toBe(version >= 1 ? 4 : undefined);
  });
});

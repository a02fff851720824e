import { expect, test } from 'vitest';
import type { Message } from '../../../../shared/protocol/message.ts';
import { AllocateProducerIds } from '../../../../shared/protocol/messages/allocate-producer-ids.ts';
import { AlterPartition } from '../../../../shared/protocol/messages/alter-partition.ts';
import { AlterPartitionReassignments } from '../../../../shared/protocol/messages/alter-partition-reassignments.ts';
import { DescribeProducers } from '../../../../shared/protocol/messages/describe-producers.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { InitProducerId } from '../../../../shared/protocol/messages/init-producer-id.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { ListPartitionReassignments } from '../../../../shared/protocol/messages/list-partition-reassignments.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { UpdateMetadata } from '../../../../shared/protocol/messages/update-metadata.ts';

/** Bodies of the newest versions, put together by hand: kafkajs, the other witness, speaks no flexible version. */
const hex = (text: string) => Buffer.from(text.replaceAll(/[\s|]/g, ''), 'hex');
const topicId = 'AAECAwQFBgcICQoLDA0ODw';
const topicIdBytes = '000102030405060708090a0b0c0d0e0f';

const cases: [string, Message, version: number, text: string, value: object][] = [
  [
    'Metadata request, no tagged field anywhere',
    Metadata.request,
    12,
    `02 | ${topicIdBytes} | 00 | 00 | 00 01 00`,
    { topics: [{ topicId, name: null }], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: true },
  ],
  [
    'AlterPartitionReassignments request: one to move, one to give up',
    AlterPartitionReassignments.request,
    0,
    '0000ea60 | 02 0274 | 03 00000000 03 00000002 00000003 00 | 00000001 00 00 | 00 | 00',
    {
      timeoutMs: 60_000,
      topics: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, replicas: [2, 3] },
            { partitionIndex: 1, replicas: null },
          ],
        },
      ],
    },
  ],
  [
    'AlterPartitionReassignments response',
    AlterPartitionReassignments.response,
    0,
    '00000000 0000 00 | 02 0274 | 03 00000000 0000 00 00 | 00000001 0055 026e 00 | 00 | 00',
    {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      responses: [
        {
          name: 't',
          partitions: [
            { partitionIndex: 0, errorCode: 0, errorMessage: null },
            { partitionIndex: 1, errorCode: 85, errorMessage: 'n' },
          ],
        },
      ],
    },
  ],
  [
    'ListPartitionReassignments request about everything',
    ListPartitionReassignments.request,
    0,
    '00001388 00 00',
    { timeoutMs: 5000, topics: null },
  ],
  [
    'ListPartitionReassignments request about one partition',
    ListPartitionReassignments.request,
    0,
    '00001388 | 02 0274 02 00000007 00 | 00',
    { timeoutMs: 5000, topics: [{ name: 't', partitionIndexes: [7] }] },
  ],
  [
    'ListPartitionReassignments response',
    ListPartitionReassignments.response,
    0,
    `00000000 0029 026e | 02 0274
     | 02 00000007 04 00000002 00000003 00000001 02 00000003 02 00000001 00 | 00 | 00`,
    {
      throttleTimeMs: 0,
      errorCode: 41,
      errorMessage: 'n',
      topics: [
        {
          name: 't',
          partitions: [{ partitionIndex: 7, replicas: [2, 3, 1], addingReplicas: [3], removingReplicas: [1] }],
        },
      ],
    },
  ],
  [
    'Fetch request of a follower',
    Fetch.request,
    17,
    `000001f4 00000001 00100000 00 00000000 ffffffff | 02 ${topicIdBytes}
     | 02 00000003 00000004 0000000000000005 00000004 0000000000000000 00010000 00 | 00
     | 01 | 01 | 01 01 0d 00000002 0000000000000009 00`,
    {
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 0x100000,
      replicaState: { replicaId: 2, replicaEpoch: 9n },
      topics: [
        {
          topicId,
          partitions: [
            {
              partition: 3,
              currentLeaderEpoch: 4,
              fetchOffset: 5,
              lastFetchedEpoch: 4,
              logStartOffset: 0,
              partitionMaxBytes: 0x10000,
            },
          ],
        },
      ],
    },
  ],
  [
    'Fetch response that points to another leader',
    Fetch.response,
    17,
    `00000000 0000 00000000 | 02 ${topicIdBytes}
     | 02 00000000 004a 0000000000000009 0000000000000009 0000000000000000 00 ffffffff 03 6162
     | 02 00 0d 00000003 0000000000000007 00 01 09 00000002 00000005 00 | 00
     | 01 00 0d 02 00000002 0268 00002384 00 00`,
    {
      responses: [
        {
          topicId,
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 74,
              highWatermark: 9,
              lastStableOffset: 9,
              logStartOffset: 0,
              abortedTransactions: null,
              records: Buffer.from('ab'),
              divergingEpoch: { epoch: 3, endOffset: 7 },
              currentLeader: { leaderId: 2, leaderEpoch: 5 },
            },
          ],
        },
      ],
      nodeEndpoints: [{ nodeId: 2, host: 'h', port: 9092, rack: null }],
    },
  ],
  [
    'LeaderAndIsr request',
    LeaderAndIsr.request,
    7,
    `00000001 00 00000002 0000000000000003 01 | 02 0274 ${topicIdBytes}
     | 02 00000000 00000002 00000001 00000005 03 00000001 00000002 00000006 03 00000001 00000002 01 01 01 00 00 | 00
     | 02 00000001 0268 00002384 00 | 00`,
    {
      controllerId: 1,
      controllerEpoch: 2,
      brokerEpoch: 3n,
      type: 1,
      topicStates: [
        {
          topicName: 't',
          topicId,
          partitionStates: [
            {
              partitionIndex: 0,
              controllerEpoch: 2,
              leader: 1,
              leaderEpoch: 5,
              isr: [1, 2],
              partitionEpoch: 6,
              replicas: [1, 2],
              addingReplicas: [],
              removingReplicas: [],
              isNew: true,
              leaderRecoveryState: 0,
            },
          ],
        },
      ],
      liveLeaders: [{ brokerId: 1, hostName: 'h', port: 9092 }],
    },
  ],
  [
    'UpdateMetadata request',
    UpdateMetadata.request,
    8,
    `00000001 00 00000002 0000000000000003 | 01 | 02 00000001 02 00002384 0268 024c 0000 00 00 00 | 01 00 01 02`,
    {
      controllerId: 1,
      controllerEpoch: 2,
      brokerEpoch: 3n,
      type: 2,
      topicStates: [],
      liveBrokers: [{ id: 1, endpoints: [{ port: 9092, host: 'h', listener: 'L', securityProtocol: 0 }], rack: null }],
    },
  ],
  [
    'AlterPartition request',
    AlterPartition.request,
    3,
    `00000001 0000000000000002 | 02 ${topicIdBytes}
     | 02 00000000 00000004 02 00000001 0000000000000007 00 00 00000006 00 | 00 | 00`,
    {
      brokerId: 1,
      brokerEpoch: 2n,
      topics: [
        {
          topicId,
          partitions: [
            {
              partitionIndex: 0,
              leaderEpoch: 4,
              newIsrWithEpochs: [{ brokerId: 1, brokerEpoch: 7n }],
              leaderRecoveryState: 0,
              partitionEpoch: 6,
            },
          ],
        },
      ],
    },
  ],
  [
    'InitProducerId request before it had an epoch',
    InitProducerId.request,
    2,
    `03 7478 0000ea60 00`,
    { transactionalId: 'tx', transactionTimeoutMs: 60_000 },
  ],
  [
    'InitProducerId request of a producer that has an id',
    InitProducerId.request,
    5,
    `00 7fffffff 0000000000000fa1 0003 00`,
    { transactionalId: null, transactionTimeoutMs: 2_147_483_647, producerId: 4001, producerEpoch: 3 },
  ],
  [
    'InitProducerId response',
    InitProducerId.response,
    5,
    `00000000 0000 0000000000000fa1 0004 00`,
    { throttleTimeMs: 0, errorCode: 0, producerId: 4001, producerEpoch: 4 },
  ],
  [
    'AllocateProducerIds request',
    AllocateProducerIds.request,
    0,
    `00000002 0000000100000000 00`,
    { brokerId: 2, brokerEpoch: 4_294_967_296n },
  ],
  [
    'AllocateProducerIds response',
    AllocateProducerIds.response,
    0,
    `00000000 0000 0000000000000fa0 000003e8 00`,
    { throttleTimeMs: 0, errorCode: 0, producerIdStart: 4000, producerIdLen: 1000 },
  ],
  [
    'DescribeProducers request',
    DescribeProducers.request,
    0,
    `02 | 0274 03 00000000 00000003 00 | 00`,
    { topics: [{ name: 't', partitionIndexes: [0, 3] }] },
  ],
  [
    'DescribeProducers response',
    DescribeProducers.response,
    0,
    `00000000 | 02 0274 | 03
     | 00000000 0000 00 02 0000000000000fa1 00000002 0000000b 0000018bcfe56809 ffffffff 0000000000000064 00 00
     | 00000003 0006 026e 01 00 | 00 | 00`,
    {
      throttleTimeMs: 0,
      topics: [
        {
          name: 't',
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              errorMessage: null,
              activeProducers: [
                {
                  producerId: 4001,
                  producerEpoch: 2,
                  lastSequence: 11,
                  lastTimestamp: 0x18bcfe56809,
                  coordinatorEpoch: -1,
                  currentTxnStartOffset: 100,
                },
              ],
            },
            { partitionIndex: 3, errorCode: 6, errorMessage: 'n', activeProducers: [] },
          ],
        },
      ],
    },
  ],
];

test.each(cases)('%s', (_, message, version, text, value) => {
  expect(Buffer.concat(message.encode(value, version)).toString('hex')).toBe(hex(text).toString('hex'));
  expect(message.decode(hex(text), version)).toMatchObject(value);
});

import { describe, expect, test } from 'vitest';
import { ControllerContext, type ControlledPartition } from '../../../../broker/controller/context.ts';
import { ControlRequests, UnsentRequestsError } from '../../../../broker/controller/control-requests.ts';
import { RequestBatch, type ControlRequest } from '../../../../broker/controller/request-batch.ts';
import type { RegisteredBroker } from '../../../../shared/zookeeper/store.ts';

function broker(id: number): RegisteredBroker {
  const internal = { listenerName: 'INTERNAL', securityProtocol: 'PLAINTEXT', host: `in${id}`, port: 1000 + id };
  const external = { listenerName: 'EXTERNAL', securityProtocol: 'SASL_SSL', host: `ex${id}`, port: 2000 + id };
  const registration = { id, endpoints: [external, internal], rack: `r${id}`, jmxPort: -1, timestampMs: 0 };
  return { id, epoch: BigInt(100 + id), registration };
}

function setUp() {
  const context = new ControllerContext();
  for (const id of [1, 2, 3]) context.putBroker(broker(id));
  const batch = new RequestBatch({ brokerId: 3, epoch: 7 }, context, 'INTERNAL');
  const add = (name: string, partition: number, leader: number, replicas: number[]): ControlledPartition => {
    const topic = context.topic(name) ?? context.addTopic(name, `id-of-${name}`);
    const added = context.addPartition(topic, partition, { replicas, adding: [], removing: [] });
    added.leadership = {
      leader,
      leaderEpoch: 5,
      isr: replicas,
      controllerEpoch: 6,
      partitionEpoch: 8,
      recovering: false,
    };
    return added;
  };
  return { context, batch, add };
}

type RequestOfKind<K extends ControlRequest['kind']> = Extract<ControlRequest, { kind: K }>['request'];

function only<K extends ControlRequest['kind']>(requests: ControlRequest[], kind: K, to: number): RequestOfKind<K> {
  const found = requests.filter(request => request.kind === kind && request.broker === to);
  expect(found).toHaveLength(1);
  return found[0]!.request as RequestOfKind<K>;
}

describe('a batch', () => {
  test('makes one LeaderAndIsr per broker of all its partitions, and UpdateMetadata for everybody', () => {
    const { batch, add } = setUp();
    const [a0, a1, b0] = [add('a', 0, 1, [1, 2]), add('a', 1, 2, [2, 1]), add('b', 0, 1, [1])];
    batch.addLeaderAndIsr([1, 2], a0, true);
    batch.addLeaderAndIsr([2, 1], a1, false);
    batch.addLeaderAndIsr([1], b0, false);
    const requests = batch.drain();
    expect(requests.map(({ kind, broker: to }) => `${kind} ${to}`)).toEqual([
      'leaderAndIsr 1',
      'leaderAndIsr 2',
      'updateMetadata 1',
      'updateMetadata 2',
      'updateMetadata 3',
    ]);
    const first = only(requests, 'leaderAndIsr', 1);
    expect(first).toMatchObject({ controllerId: 3, controllerEpoch: 7, brokerEpoch: 101n, type: 0 });
    expect(
      first.topicStates!.map(t => [t.topicName, t.topicId, t.partitionStates.map(p => [p.partitionIndex, p.isNew])]),
    ).toEqual([
      [
        'a',
        'id-of-a',
        [
          [0, true],
          [1, false],
        ],
      ],
      ['b', 'id-of-b', [[0, false]]],
    ]);
    expect(first.liveLeaders).toEqual([
      { brokerId: 1, hostName: 'in1', port: 1001 },
      { brokerId: 2, hostName: 'in2', port: 1002 },
    ]);
    const metadata = only(requests, 'updateMetadata', 3);
    expect(metadata.topicStates!.flatMap(t => t.partitionStates)).toHaveLength(3);
    expect(metadata.liveBrokers[0]).toEqual({
      id: 1,
      rack: 'r1',
      endpoints: [
        { listener: 'EXTERNAL', securityProtocol: 3, host: 'ex1', port: 2001 },
        { listener: 'INTERNAL', securityProtocol: 0, host: 'in1', port: 1001 },
      ],
    });
    expect(batch.isEmpty).toBe(true);
  });

  test('remembers that a replica is new and that it is to be deleted, and takes the last leadership', () => {
    const { batch, add } = setUp();
    const partition = add('a', 0, 1, [1]);
    batch.addLeaderAndIsr([1], partition, true);
    partition.leadership = { ...partition.leadership!, leaderEpoch: 6 };
    batch.addLeaderAndIsr([1], partition, false);
    batch.addStopReplica(2, partition, true);
    batch.addStopReplica(2, partition, false);
    const requests = batch.drain();
    const told = only(requests, 'leaderAndIsr', 1).topicStates![0]!.partitionStates;
    expect(told).toMatchObject([{ isNew: true, leaderEpoch: 6 }]);
    const stopped = only(requests, 'stopReplica', 2).topicStates![0]!.partitionStates;
    expect(stopped).toEqual([{ partitionIndex: 0, leaderEpoch: 6, deletePartition: true }]);
  });

  test('goes to registered brokers only, those that are shutting down included', () => {
    const { context, batch, add } = setUp();
    context.markShuttingDown(2);
    context.removeBroker(3);
    batch.addLeaderAndIsr([1, 2, 3, 9], add('a', 0, 1, [1, 2, 3]), false);
    const requests = batch.drain();
    expect(requests.map(({ broker: to }) => to)).toEqual([1, 2, 1, 2]);
    const [partition] = only(requests, 'updateMetadata', 1).topicStates![0]!.partitionStates;
    expect(partition!.offlineReplicas).toEqual([2, 3]);
  });

  test('a topic that is going away has leader -2, and its replicas are stopped at epoch -2', () => {
    const { context, batch, add } = setUp();
    const partition = add('a', 0, 1, [1]);
    context.topic('a')!.queuedForDeletion = true;
    batch.addUpdateMetadata([1], [partition]);
    batch.addStopReplica(1, partition, true);
    const requests = batch.drain();
    expect(only(requests, 'updateMetadata', 1).topicStates![0]!.partitionStates[0]!.leader).toBe(-2);
    expect(only(requests, 'stopReplica', 1).topicStates![0]!.partitionStates[0]!.leaderEpoch).toBe(-2);
  });

  test('a partition without leadership is not spoken of; the list of brokers goes out all the same', () => {
    const { batch, add } = setUp();
    const partition = add('a', 0, 1, [1]);
    partition.leadership = null;
    batch.addUpdateMetadata([1], [partition]);
    expect(only(batch.drain(), 'updateMetadata', 1)).toMatchObject({ topicStates: [], liveBrokers: [{}, {}, {}] });
  });

  test('can be everything there is, so that brokers forget the rest', () => {
    const { batch, add } = setUp();
    add('a', 0, 1, [1]);
    add('b', 0, 1, [1]);
    batch.addFullMetadata([2]);
    const full = only(batch.drain(), 'updateMetadata', 2);
    expect(full.type).toBe(2);
    expect(full.topicStates!.map(({ topicName }) => topicName)).toEqual(['a', 'b']);
    batch.addUpdateMetadata([2], []);
    expect(only(batch.drain(), 'updateMetadata', 2).type).toBe(0);
  });

  test('carries a reassignment along', () => {
    const { batch, add } = setUp();
    const partition = add('a', 0, 1, [1, 2]);
    partition.assignment = { replicas: [1, 2], adding: [2], removing: [1] };
    batch.addLeaderAndIsr([1], partition, false);
    const [told] = only(batch.drain(), 'leaderAndIsr', 1).topicStates![0]!.partitionStates;
    expect(told).toMatchObject({ addingReplicas: [2], removingReplicas: [1] });
  });
});

test('a step that begins while another was not finished is an error', async () => {
  const { context, batch, add } = setUp();
  const sent: ControlRequest[] = [];
  const requests = new ControlRequests({ context, batch, send: request => sent.push(request) });
  requests.begin().addStopReplica(1, add('a', 0, 1, [1]), false);
  expect(() => requests.begin()).toThrow(UnsentRequestsError);
  await requests.flush();
  expect(sent).toHaveLength(1);
  requests.begin();
});

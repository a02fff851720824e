import { describe, expect, test } from 'vitest';
import { ControllerContext, replicaState } from '../../../../broker/controller/context.ts';
import { ControlRequests } from '../../../../broker/controller/control-requests.ts';
import { LeadershipWriter } from '../../../../broker/controller/leadership-writer.ts';
import { PartitionStates } from '../../../../broker/controller/partition-states.ts';
import { ReplicaStates } from '../../../../broker/controller/replica-states.ts';
import { RequestBatch, type ControlRequest } from '../../../../broker/controller/request-batch.ts';
import {
  PARTITION_STATE_SOURCES,
  REPLICA_STATE_SOURCES,
  type PartitionState,
  type ReplicaState,
} from '../../../../broker/controller/states.ts';
import { UncleanElection } from '../../../../broker/controller/unclean-election.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import type { ZooKeeperStore } from '../../../../shared/zookeeper/store.ts';

/** One partition of replicas 1 and 2, led by 1, on two live brokers; no ZooKeeper: whatever would write fails. */
function setUp() {
  const store = undefined as unknown as ZooKeeperStore;
  const context = new ControllerContext();
  for (const id of [1, 2]) {
    const registration = { id, endpoints: [], rack: null, jmxPort: -1, timestampMs: 0 };
    context.putBroker({ id, epoch: 1n, registration });
  }
  const partition = context.addPartition(context.addTopic('t', 'id'), 0, {
    replicas: [1, 2],
    adding: [],
    removing: [],
  });
  partition.leadership = {
    leader: 1,
    leaderEpoch: 0,
    isr: [1],
    controllerEpoch: 1,
    partitionEpoch: 0,
    recovering: false,
  };
  const sent: ControlRequest[] = [];
  const batch = new RequestBatch({ brokerId: 1, epoch: 1 }, context, 'PLAINTEXT');
  const requests = new ControlRequests({ context, batch, send: request => sent.push(request) });
  const controller = { epoch: 1, epochZkVersion: 1 };
  const writer = new LeadershipWriter(store, controller, undefined);
  const unclean = new UncleanElection(store, () => false, silentLogger);
  const common = { context, requests, writer, store, logger: silentLogger };
  return {
    partition,
    sent,
    partitions: new PartitionStates({ ...common, controller, unclean }),
    replicas: new ReplicaStates({ ...common, epoch: 1 }),
  };
}

describe('transitions that the tables do not allow change nothing and harm nobody else', () => {
  const partitionStates = Object.keys(PARTITION_STATE_SOURCES) as PartitionState[];
  const illegal = partitionStates.flatMap(to =>
    partitionStates.filter(from => !PARTITION_STATE_SOURCES[to].includes(from)).map(from => [from, to] as const),
  );

  test.each(illegal)('partition %s to %s', async (from, to) => {
    const { partition, partitions, sent } = setUp();
    partition.state = from;
    const failures = await partitions.change([partition], to);
    expect(failures.get('t-0')).toContain(from);
    expect(partition.state).toBe(from);
    expect(sent).toEqual([]);
  });

  const replicaStates = Object.keys(REPLICA_STATE_SOURCES) as ReplicaState[];
  const illegalReplica = replicaStates.flatMap(to =>
    replicaStates.filter(from => !REPLICA_STATE_SOURCES[to].includes(from)).map(from => [from, to] as const),
  );

  test.each(illegalReplica)('replica %s to %s', async (from, to) => {
    const { partition, replicas, sent } = setUp();
    partition.replicaStates.set(2, from);
    await replicas.change([{ partition, broker: 2 }], to);
    expect(replicaState({ partition, broker: 2 })).toBe(from);
    expect(sent).toEqual([]);
  });
});

describe('what goes with the transitions of a replica', () => {
  const cases: [ReplicaState, ReplicaState, string[]][] = [
    ['NonExistentReplica', 'NewReplica', ['leaderAndIsr 2 new', 'updateMetadata 1', 'updateMetadata 2']],
    ['NewReplica', 'OnlineReplica', []],
    ['OfflineReplica', 'OnlineReplica', ['leaderAndIsr 2', 'updateMetadata 1', 'updateMetadata 2']],
    // Out of the ISR already: nothing to write, but everybody hears that it is offline.
    ['OnlineReplica', 'OfflineReplica', ['updateMetadata 1', 'updateMetadata 2', 'stopReplica 2']],
    ['OfflineReplica', 'ReplicaDeletionStarted', ['stopReplica 2 delete']],
    ['ReplicaDeletionStarted', 'ReplicaDeletionSuccessful', []],
    ['ReplicaDeletionStarted', 'ReplicaDeletionIneligible', []],
    ['ReplicaDeletionSuccessful', 'NonExistentReplica', []],
  ];

  test.each(cases)('%s to %s', async (from, to, expected) => {
    const { partition, replicas, sent } = setUp();
    partition.replicaStates.set(2, from);
    await replicas.change([{ partition, broker: 2 }], to);
    expect(replicaState({ partition, broker: 2 })).toBe(to);
    expect(sent.map(describeRequest)).toEqual(expected);
    expect(partition.assignment.replicas).toEqual(to === 'NonExistentReplica' ? [1] : [1, 2]);
  });
});

function describeRequest(control: ControlRequest): string {
  const base = `${control.kind} ${control.broker}`;
  if (control.kind === 'leaderAndIsr') {
    return control.request.topicStates![0]!.partitionStates[0]!.isNew === true ? `${base} new` : base;
  }
  if (control.kind !== 'stopReplica') return base;
  return control.request.topicStates![0]!.partitionStates[0]!.deletePartition ? `${base} delete` : base;
}

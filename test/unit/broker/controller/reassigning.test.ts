import { describe, expect, test } from 'vitest';
import { FAILPOINTS, type Failpoint, type Failpoints } from '../../../../broker/controller/failpoints.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { UpdateMetadata } from '../../../../shared/protocol/messages/update-metadata.ts';
import { encodeReassignment } from '../../../../shared/zookeeper/znodes/reassignment.ts';
import { assigned, ControllerCluster, type StubBroker } from '../../../support/controller-cluster.ts';

const REQUEST_NODE = '/admin/reassign_partitions';

async function clusterWithTopic(replicas: readonly number[], ids: readonly number[] = [0, 1, 2, 3]) {
  const cluster = await ControllerCluster.start(ids);
  await cluster.createTopic('t', [replicas]);
  await cluster.untilState('t', 0, { leader: replicas[0]! });
  await cluster.until('brokers have it', () => replicas.every(id => cluster.broker(id).replicas.has('t-0')));
  return cluster;
}

async function order(cluster: ControllerCluster, replicas: readonly number[] | null, topic = 't', partition = 0) {
  const [result] = await cluster.run(
    cluster.controller.controller.alterReassignments([{ topic, partition, replicas }]),
  );
  return result!.errorCode;
}

function ongoing(cluster: ControllerCluster) {
  return cluster.run(cluster.controller.controller.ongoingReassignments(null));
}

/** Followers catch up, whenever there are any, until the partition is where it shall be and nobody else has it. */
async function untilOn(cluster: ControllerCluster, replicas: readonly number[]): Promise<void> {
  await cluster.until(`t-0 is on ${replicas.join()}`, async () => {
    await cluster.proposeIsr('t');
    return JSON.stringify(await cluster.assignment('t')) === JSON.stringify(assigned(replicas));
  });
  const alive = [...cluster.brokers.values()].filter(({ running }) => running);
  await cluster.until('only they have it', () => alive.every(b => b.replicas.has('t-0') === replicas.includes(b.id)));
}

/** Asks as a tool for ZooKeeper does. */
async function requestByNode(cluster: ControllerCluster, entries: Parameters<typeof encodeReassignment>[0]) {
  const zk = cluster.client;
  await cluster.run(zk.create(REQUEST_NODE, encodeReassignment(entries), 'persistent'));
}

async function nodeIsGone(cluster: ControllerCluster): Promise<boolean> {
  return (await cluster.client.getData(REQUEST_NODE)) === null;
}

describe('a reassignment', () => {
  test('copies, moves the leader, deletes the old replica; the epoch rises by three', async () => {
    const cluster = await clusterWithTopic([1]);
    expect(await order(cluster, [2])).toBe(ErrorCode.NONE);
    expect(await cluster.run(cluster.assignment('t'))).toEqual({ replicas: [2, 1], adding: [2], removing: [1] });
    expect(await ongoing(cluster)).toEqual([
      { topic: 't', partition: 0, replicas: [2, 1], adding: [2], removing: [1] },
    ]);
    await cluster.untilState('t', 0, { leader: 1, isr: [1], leaderEpoch: 1 });
    await cluster.until('2 follows', () => cluster.broker(2).replicas.has('t-0'));
    expect(cluster.broker(2).replicas.get('t-0')).toMatchObject({
      isNew: true,
      addingReplicas: [2],
      removingReplicas: [1],
    });
    expect(cluster.broker(1).replicas.get('t-0')).toMatchObject({ isNew: false, replicas: [2, 1] });

    await untilOn(cluster, [2]);
    await cluster.untilState('t', 0, { leader: 2, isr: [2], leaderEpoch: 3 });
    expect(await ongoing(cluster)).toEqual([]);
    const told = cluster.broker(3).requests(UpdateMetadata).at(-1)!.topicStates[0]!.partitionStates[0]!;
    expect(told).toMatchObject({ leader: 2, isr: [2], replicas: [2] });
    expect(await order(cluster, null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
  });

  test('a leader that stays learns in a new epoch who its followers are', async () => {
    const cluster = await clusterWithTopic([1, 2]);
    await order(cluster, [1, 3]);
    await untilOn(cluster, [1, 3]);
    await cluster.untilState('t', 0, { leader: 1, isr: [1, 3] });
    await cluster.until('1 knows', () => {
      const state = cluster.broker(1).replicas.get('t-0')!;
      return state.replicas.join() === '1,3' && state.isr.join() === '1,3' && state.addingReplicas.length === 0;
    });
  });

  test('of nothing but the order is over at once, and the leader stays', async () => {
    const cluster = await clusterWithTopic([1, 2]);
    expect(await order(cluster, [2, 1])).toBe(ErrorCode.NONE);
    expect(await cluster.run(cluster.assignment('t'))).toEqual(assigned([2, 1]));
    await cluster.untilState('t', 0, { leader: 1 });
  });

  test('grows and shrinks the number of replicas', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [1, 2, 3]);
    await untilOn(cluster, [1, 2, 3]);
    await order(cluster, [3]);
    await untilOn(cluster, [3]);
    await cluster.untilState('t', 0, { leader: 3, isr: [3] });
  });

  test('of a partition that never had a leader finds one among the new replicas', async () => {
    const cluster = await ControllerCluster.start([0, 2]);
    await cluster.createTopic('t', [[1]]);
    await cluster.until('known', () => cluster.controller.controller.snapshot().globalPartitionCount === 1);
    expect(await order(cluster, [2])).toBe(ErrorCode.NONE);
    await cluster.untilState('t', 0, { leader: 2, isr: [2] });
    await untilOn(cluster, [2]);
  });

  test('is refused with the reason', async () => {
    const cluster = await clusterWithTopic([1, 2]);
    expect(await order(cluster, [])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await order(cluster, [1, 1])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await order(cluster, [1, -3])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await order(cluster, [1, 9])).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(await order(cluster, null)).toBe(ErrorCode.NO_REASSIGNMENT_IN_PROGRESS);
    expect(await order(cluster, [1], 'unknown')).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await order(cluster, [1], 't', 7)).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await cluster.run(cluster.assignment('t'))).toEqual(assigned([1, 2]));
    await expect(cluster.run(cluster.broker(3).controller.alterReassignments([]))).rejects.toThrow('not the active');
    await expect(cluster.run(cluster.broker(3).controller.ongoingReassignments(null))).rejects.toThrow(
      'not the active',
    );
  });

  test('asked for twice is begun once', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [2]);
    expect(await order(cluster, [2])).toBe(ErrorCode.NONE);
    await cluster.untilState('t', 0, { leaderEpoch: 1 });
  });
});

describe('a reassignment is given up', () => {
  test('for nothing: the new replica goes, the old ones stay', async () => {
    const cluster = await clusterWithTopic([1, 2]);
    await order(cluster, [2, 3]);
    await cluster.until('3 follows', () => cluster.broker(3).replicas.has('t-0'));
    expect(await order(cluster, null)).toBe(ErrorCode.NONE);
    expect(await ongoing(cluster)).toEqual([]);
    await untilOn(cluster, [2, 1]);
    await cluster.untilState('t', 0, { leader: 1, isr: [1, 2] });
  });

  test('for another target', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [2]);
    await cluster.until('2 follows', () => cluster.broker(2).replicas.has('t-0'));
    await order(cluster, [3]);
    expect(await cluster.run(cluster.assignment('t'))).toEqual({ replicas: [3, 1], adding: [3], removing: [1] });
    await untilOn(cluster, [3]);
  });

  test('but not when only the new replica has the records', async () => {
    const cluster = await clusterWithTopic([1], [0, 1, 2, 3]);
    await order(cluster, [2, 3]);
    cluster.broker(3).crash();
    await cluster.until('2 is in sync', async () => {
      await cluster.proposeIsr('t');
      return (await cluster.store.partitions.states([{ topic: 't', partition: 0 }])).get('t-0')!.isr.includes(2);
    });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2, isr: [2] });
    expect(await order(cluster, null)).toBe(ErrorCode.INVALID_REPLICA_ASSIGNMENT);
    expect(cluster.broker(2).replicas.has('t-0')).toBe(true);
    await cluster.startBroker(3);
    await untilOn(cluster, [2, 3]);
  });
});

describe('a reassignment asked for in ZooKeeper', () => {
  test('waits for a broker that is down; the node goes at the end', async () => {
    const cluster = await clusterWithTopic([1], [0, 1]);
    await requestByNode(cluster, [{ topic: 't', partition: 0, replicas: [2] }]);
    await cluster.untilState('t', 0, { leader: 1, leaderEpoch: 1 });
    await cluster.time.advance(5000);
    expect(await cluster.run(cluster.assignment('t'))).toEqual({ replicas: [2, 1], adding: [2], removing: [1] });
    await cluster.startBroker(2);
    await untilOn(cluster, [2]);
    await cluster.until('the node is gone', () => nodeIsGone(cluster));
    await requestByNode(cluster, [{ topic: 't', partition: 0, replicas: [1] }]);
    await untilOn(cluster, [1]);
  });

  test('is taken off the list when it cannot be, or when it is over; the rest stays', async () => {
    const cluster = await clusterWithTopic([1]);
    await requestByNode(cluster, [
      { topic: 't', partition: 0, replicas: [9] },
      { topic: 't', partition: 5, replicas: [1] },
      { topic: 'unknown', partition: 0, replicas: [1] },
    ]);
    const left = async () => (await cluster.store.reassignments.get())?.length;
    await cluster.until('one is left', async () => (await left()) === 1);
    // The other way of asking overrides it.
    await order(cluster, [2]);
    await cluster.until('the node is gone', () => nodeIsGone(cluster));
    await untilOn(cluster, [2]);
  });

  test('rubbish is taken away', async () => {
    const cluster = await clusterWithTopic([1]);
    await cluster.run(cluster.client.create(REQUEST_NODE, Buffer.from('no JSON'), 'persistent'));
    await cluster.until('the node is gone', () => nodeIsGone(cluster));
  });
});

describe('a topic being reassigned', () => {
  test('is deleted when that is over, and not reassigned when it is to be deleted', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [2]);
    await cluster.run(cluster.store.deletions.mark('t'));
    await cluster.until('queued', () => cluster.controller.controller.snapshot().topicsIneligibleToDeleteCount === 1);
    expect(await order(cluster, [3])).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    await cluster.time.advance(1000);
    expect(cluster.broker(1).replicas.has('t-0')).toBe(true);
    await cluster.until('the topic is gone', async () => {
      await cluster.proposeIsr('t');
      return (await cluster.store.topics.names()).length === 0;
    });
    await cluster.until('nobody has it', () => [1, 2, 3].every(id => !cluster.broker(id).replicas.has('t-0')));
  });

  test('keeps partitions that are added meanwhile', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [2]);
    await cluster.run(cluster.store.topics.addPartitions('t', new Map([[1, assigned([3])]])));
    await untilOn(cluster, [2]);
    expect(await cluster.run(cluster.assignment('t', 1))).toEqual(assigned([3]));
    await cluster.untilState('t', 1, { leader: 3 });
  });

  test('the broker that it goes to restarts on the way', async () => {
    const cluster = await clusterWithTopic([1]);
    await order(cluster, [2]);
    await cluster.until('2 follows', () => cluster.broker(2).replicas.has('t-0'));
    cluster.broker(2).crash();
    await cluster.until('0 knows', () => !cluster.broker(0).knownBrokers.includes(2));
    await cluster.time.advance(2000);
    await cluster.startBroker(2);
    await untilOn(cluster, [2]);
  });
});

/** Dies the first time its controller comes by the named place. */
function fatal(name: Failpoint): Failpoints & { victim: StubBroker | null; hits: number } {
  return {
    victim: null,
    hits: 0,
    hit(point) {
      if (point !== name || this.victim === null) return;
      this.hits++;
      this.victim.crash();
      return new Promise(() => {});
    },
  };
}

const ON_THE_WAY = FAILPOINTS.filter(
  name => /^(reassignment|send|isr-shrink|alter-partition)\./.test(name) || name.startsWith('leader-election'),
);

describe('the controller dies in a reassignment, and its successor goes on', () => {
  test.each(ON_THE_WAY)('%s', async name => {
    const cluster = await ControllerCluster.start([]);
    const failpoints = fatal(name);
    const victim = await cluster.startBroker(0, failpoints);
    for (const id of [1, 2, 3]) await cluster.startBroker(id);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1, isr: [1, 2] });
    await cluster.until('brokers have it', () => [1, 2].every(id => cluster.broker(id).replicas.has('t-0')));
    failpoints.victim = victim;
    await requestByNode(cluster, [{ topic: 't', partition: 0, replicas: [3, 2] }]);
    await untilOn(cluster, [3, 2]);
    const state = await cluster.state('t');
    expect([2, 3]).toContain(state!.leader);
    expect([...state!.isr].sort()).toEqual([2, 3]);
    await cluster.until('the node is gone', () => nodeIsGone(cluster));
    expect(failpoints.hits).toBe(1);
    const told = cluster.broker(state!.leader).requests(LeaderAndIsr).at(-1)!.topicStates[0]!.partitionStates[0]!;
    expect(told).toMatchObject({ replicas: [3, 2], addingReplicas: [], removingReplicas: [] });
  });
});

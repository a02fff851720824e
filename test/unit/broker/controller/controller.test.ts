import { describe, expect, test } from 'vitest';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { UpdateMetadata } from '../../../../shared/protocol/messages/update-metadata.ts';
import { StopReplica } from '../../../../shared/protocol/messages/stop-replica.ts';
import { assigned, ControllerCluster } from '../../../support/controller-cluster.ts';

/** An AlterPartition entry for partition 0 in its first state. */
function proposal(changed: { newIsr: number[] }) {
  return {
    partitionIndex: 0,
    leaderEpoch: 0,
    newIsrWithEpochs: [],
    leaderRecoveryState: 0,
    partitionEpoch: 0,
    ...changed,
  };
}

describe('election of the controller', () => {
  test('an empty cluster has one controller with epoch 1; each move raises the epoch by one', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    expect(cluster.controller.id).toBe(0);
    expect(cluster.controller.controller.epoch).toBe(1);
    expect(cluster.broker(1).controller.activeControllerId).toBe(0);

    await cluster.run(cluster.broker(0).stop());
    await cluster.until('a successor', () => [1, 2].some(id => cluster.broker(id).controller.isActive));
    expect(cluster.controller.controller.epoch).toBe(2);
    const { id } = cluster.controller;
    await cluster.until('all know it', () => [1, 2].every(b => cluster.broker(b).controller.activeControllerId === id));
  });

  test('the epoch survives a full stop of the cluster', async () => {
    const cluster = await ControllerCluster.start([0]);
    await cluster.run(cluster.broker(0).stop());
    await cluster.startBroker(0);
    expect(cluster.controller.controller.epoch).toBe(2);
  });

  test('of many that start at the same time one wins', async () => {
    const cluster = await ControllerCluster.start([]);
    await Promise.all(Array.from({ length: 5 }, (_, id) => cluster.startBroker(id)));
    expect(cluster.controller.controller.epoch).toBe(1);
  });

  test('an expired session costs the office, and the broker is told everything again', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    await cluster.createTopic('t', [[0, 1]]);
    await cluster.untilState('t', 0, { leader: 0 });
    const before = cluster.broker(0).epoch;
    cluster.broker(0).zooKeeper.expire();
    await cluster.until('broker 1 takes over', () => cluster.broker(1).controller.isActive);
    await cluster.until('0 is registered anew', () => cluster.broker(0).epoch > before);
    await cluster.until('0 knows of it', () => cluster.broker(0).controller.activeControllerId === 1);
    expect(cluster.broker(0).controller.isActive).toBe(false);
    await cluster.until('0 hears of 2 brokers', () => cluster.broker(0).knownBrokers.length === 2);
  });

  test('an office that an election won in the new session, while the end of the old one was dealt with, is filled', async () => {
    const cluster = await ControllerCluster.start([0]);
    const { controller } = cluster.broker(0);
    await cluster.until('in office', () => controller.isActive);
    // What the end of a session drops may have claimed the office in the next one already.
    await cluster.run(controller.handleSessionExpired());
    expect(controller.isActive).toBe(false);
    await cluster.run(controller.handleNewSession());
    await cluster.until('in office again', () => controller.isActive);
  });

  test('a controller that was replaced without knowing writes nothing and resigns', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    await cluster.createTopic('t', [[0, 1]]);
    await cluster.untilState('t', 0, { leader: 0 });
    const stale = cluster.broker(0);
    stale.zooKeeper.disconnect();
    const answer = stale.controller.alterPartition(
      {
        brokerId: 0,
        brokerEpoch: stale.epoch,
        topics: [{ topicName: 't', topicId: '', partitions: [proposal({ newIsr: [0] })] }],
      },
      1,
    );
    await cluster.run(cluster.broker(1).zooKeeper.remove('/controller', -1));
    await cluster.until('broker 1 is elected', () => cluster.broker(1).controller.isActive);
    expect(stale.controller.isActive).toBe(true);
    stale.zooKeeper.reconnect();
    expect((await cluster.run(answer)).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    await cluster.until('it resigns', () => !stale.controller.isActive);
    expect(stale.controller.activeControllerId).toBe(1);
    expect((await cluster.state('t'))?.isr).toEqual([0, 1]);
  });

  test('requests that wait when the session ends are refused', async () => {
    const cluster = await ControllerCluster.start([0]);
    const { controller, zooKeeper, epoch } = cluster.broker(0);
    await cluster.createTopic('t', [[0]]);
    await cluster.untilState('t', 0, { leader: 0 });
    zooKeeper.disconnect();
    const answers = [1, 2].map(() => controller.alterPartition({ brokerId: 0, brokerEpoch: epoch, topics: [] }, 3));
    const election = expect(controller.electLeaders(null, 'PREFERRED')).rejects.toThrow('not the active');
    await cluster.run(controller.handleSessionExpired());
    await election;
    expect((await cluster.run(answers[1]!)).errorCode).toBe(ErrorCode.NOT_CONTROLLER);
  });
});

describe('topics', () => {
  test('creation: first live replica leads, live ones are in sync, one LeaderAndIsr a broker', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    const sent = () => cluster.broker(1).requests(LeaderAndIsr);
    await cluster.createTopic('t', [
      [2, 1, 0],
      [1, 0],
    ]);
    await cluster.untilState('t', 0, { leader: 1, isr: [1, 0], leaderEpoch: 0 });
    await cluster.untilState('t', 1, { leader: 1, isr: [1, 0], leaderEpoch: 0, partitionEpoch: 0 });
    await cluster.until('broker 1 was told', () => sent().length > 0);
    expect(sent()).toHaveLength(1);
    const { partitionStates } = sent()[0]!.topicStates[0]!;
    expect(partitionStates.map(p => p.isNew)).toEqual([true, true]);
    expect(partitionStates[0]!.replicas).toEqual([2, 1, 0]);
    await cluster.until('caches', () => [0, 1].every(id => cluster.broker(id).metadata.size === 2));
    expect(cluster.broker(0).metadata.get('t-0')).toEqual({ leader: 1, isr: [1, 0], offlineReplicas: [2] });
  });

  test('a partition without live replicas waits for one', async () => {
    const cluster = await ControllerCluster.start([0]);
    await cluster.createTopic('t', [[1]]);
    await cluster.time.advance(500);
    expect(await cluster.state('t')).toBeUndefined();
    await cluster.startBroker(1);
    await cluster.untilState('t', 0, { leader: 1, leaderEpoch: 0 });
  });

  test('added partitions come up, a reassignment beside them survives', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    await cluster.createTopic('t', [[0, 1]]);
    await cluster.untilState('t', 0, { leader: 0 });
    await cluster.run(cluster.store.topics.addPartitions('t', new Map([[1, assigned([9, 1])]])));
    await cluster.untilState('t', 1, { leader: 1, isr: [1], leaderEpoch: 0 });
  });

  test('topics without an id get one, which stays', async () => {
    const cluster = await ControllerCluster.start([]);
    const reassigned = { replicas: [0, 1], adding: [1], removing: [0] };
    const old = { topicId: null, partitions: new Map([[0, reassigned]]) };
    await cluster.run(cluster.store.topics.create('old', old, new Map()));
    await cluster.startBroker(0);
    const written = await cluster.run(cluster.store.topics.get('old'));
    expect(written?.topicId).toMatch(/^[\w-]{22}$/);
    expect(written?.partitions.get(0)).toEqual(reassigned);
    await cluster.run(cluster.broker(0).stop());
    await cluster.startBroker(0);
    expect((await cluster.run(cluster.store.topics.get('old')))?.topicId).toBe(written?.topicId);
  });
});

describe('brokers', () => {
  test('failure: leadership moves, the ISR shrinks, the returning broker is told everything', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [
      [1, 2, 0],
      [2, 1],
    ]);
    await cluster.untilState('t', 1, { leader: 2 });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2, isr: [2, 0], leaderEpoch: 1 });
    await cluster.untilState('t', 1, { leader: 2, isr: [2], leaderEpoch: 1 });
    await cluster.until(
      'brokers know',
      () => cluster.broker(2).metadata.get('t-0')?.offlineReplicas.includes(1) === true,
    );
    expect(cluster.broker(2).replicas.get('t-0')).toMatchObject({ leader: 2, leaderEpoch: 1, isNew: false });

    const returned = await cluster.startBroker(1);
    await cluster.until('it holds both', () => returned.replicas.size === 2 && returned.metadata.size === 2);
    expect(returned.replicas.get('t-0')).toMatchObject({ leader: 2, isr: [2, 0], isNew: false });
  });

  test('whole ISR gone: no leader, the last member is remembered; it leads again when it returns', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2, isr: [2], leaderEpoch: 1 });
    await cluster.startBroker(1);
    cluster.broker(2).crash();
    await cluster.untilState('t', 0, { leader: -1, isr: [2], leaderEpoch: 2 });
    expect(cluster.broker(0).controller.snapshot().offlinePartitionsCount).toBe(1);
    await cluster.startBroker(2);
    await cluster.untilState('t', 0, { leader: 2, isr: [2], leaderEpoch: 3 });
    expect(cluster.broker(0).controller.snapshot().offlinePartitionsCount).toBe(0);
  });

  test('unclean election, if the topic allows it', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]], { 'unclean.leader.election.enable': 'true' });
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2, isr: [2] });
    await cluster.startBroker(1);
    cluster.broker(2).crash();
    await cluster.untilState('t', 0, { leader: 1, isr: [1], leaderEpoch: 2, recovering: true });
  });

  test('unclean election enabled later', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2 });
    await cluster.startBroker(1);
    cluster.broker(2).crash();
    await cluster.untilState('t', 0, { leader: -1 });
    await cluster.run(cluster.store.configs.set('topics', 't', new Map([['unclean.leader.election.enable', 'true']])));
    await cluster.run(cluster.broker(0).controller.uncleanLeaderElectionEnabled('t'));
    await cluster.untilState('t', 0, { leader: 1, isr: [1] });
  });

  test('a broker that was away so shortly that nobody looked counts as failed and started', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(1).zooKeeper.expire();
    await cluster.untilState('t', 0, { leader: 2, isr: [2] });
    const told = () => cluster.broker(1).requests(LeaderAndIsr).at(-1)!;
    await cluster.until('told with its new epoch', () => told().brokerEpoch === cluster.broker(1).epoch);
  });

  test('a broker that changes its addresses is announced', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    const zk = cluster.broker(1).zooKeeper;
    const { data } = (await cluster.run(zk.getData('/brokers/ids/1')))!;
    await cluster.run(
      zk.setData('/brokers/ids/1', Buffer.from(data!.toString().replaceAll('localhost', 'elsewhere')), -1),
    );
    const hosts = () =>
      cluster
        .broker(0)
        .requests(UpdateMetadata)
        .at(-1)!
        .liveBrokers.map(b => b.endpoints[0]!.host);
    await cluster.until('broker 0 knows', () => hosts().includes('elsewhere'));
  });
});

describe('controlled shutdown', () => {
  test('leadership moves to another ISR member, followers leave the ISR, sole replicas stay', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2], [2, 1], [1]]);
    await cluster.untilState('t', 2, { leader: 1 });
    const { epoch } = cluster.broker(1);
    const shutdown = (brokerEpoch: bigint) =>
      cluster.run(cluster.broker(0).controller.controlledShutdown({ brokerId: 1, brokerEpoch }));
    expect((await shutdown(epoch - 1n)).errorCode).toBe(ErrorCode.STALE_BROKER_EPOCH);
    expect(await shutdown(epoch)).toEqual({ errorCode: 0, remainingPartitions: [] });
    expect(await cluster.state('t', 0)).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 1 });
    expect(await cluster.state('t', 1)).toMatchObject({ leader: 2, isr: [2], leaderEpoch: 1 });
    expect(await cluster.state('t', 2)).toMatchObject({ leader: 1, isr: [1], leaderEpoch: 0 });
    const stopped = () =>
      cluster
        .broker(1)
        .requests(StopReplica)
        .flatMap(r => r.topicStates[0]!.partitionStates);
    await cluster.until('follower stopped', () => stopped().some(p => p.partitionIndex === 1 && !p.deletePartition));
  });

  test('what nobody else can lead remains; unknown brokers and other brokers are refused', async () => {
    const cluster = await ControllerCluster.start([0, 1, 2]);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(2).crash();
    await cluster.untilState('t', 0, { isr: [1] });
    const { controller } = cluster.broker(0);
    expect(
      await cluster.run(controller.controlledShutdown({ brokerId: 1, brokerEpoch: cluster.broker(1).epoch })),
    ).toEqual({
      errorCode: 0,
      remainingPartitions: [{ topicName: 't', partitionIndex: 0 }],
    });
    expect((await cluster.run(controller.controlledShutdown({ brokerId: 9, brokerEpoch: 1n }))).errorCode).toBe(
      ErrorCode.BROKER_NOT_AVAILABLE,
    );
    const elsewhere = cluster.broker(1).controller.controlledShutdown({ brokerId: 1, brokerEpoch: 1n });
    expect((await cluster.run(elsewhere)).errorCode).toBe(ErrorCode.STALE_CONTROLLER_EPOCH);
  });
});

describe('preferred leaders', () => {
  /** Broker 2 leads what broker 1 should. */
  async function displaced(settings: Record<string, string> = {}): Promise<ControllerCluster> {
    const cluster = await ControllerCluster.start([0, 1, 2], settings);
    await cluster.createTopic('t', [[1, 2]]);
    await cluster.untilState('t', 0, { leader: 1 });
    cluster.broker(1).crash();
    await cluster.untilState('t', 0, { leader: 2, isr: [2] });
    return cluster;
  }

  async function rejoinIsr(cluster: ControllerCluster, isr: readonly number[]): Promise<void> {
    const state = (await cluster.state('t'))!;
    const { topicId } = (await cluster.run(cluster.store.topics.get('t')))!;
    const partition = { partitionIndex: 0, leaderEpoch: state.leaderEpoch, newIsr: [], leaderRecoveryState: 0 };
    const newIsrWithEpochs = isr.map(brokerId => ({ brokerId, brokerEpoch: -1n }));
    const partitions = [{ ...partition, newIsrWithEpochs, partitionEpoch: state.partitionEpoch }];
    const { id, epoch } = cluster.broker(state.leader);
    const topics = [{ topicName: '', topicId: topicId!, partitions }];
    const answer = await cluster.run(
      cluster.broker(0).controller.alterPartition({ brokerId: id, brokerEpoch: epoch, topics }, 3),
    );
    expect(answer.topics[0]!.partitions[0]!.errorCode).toBe(0);
  }

  test('election on request', async () => {
    const cluster = await displaced({ 'auto.leader.rebalance.enable': 'false' });
    const elect = (partition: number, type: 'PREFERRED' | 'UNCLEAN') =>
      cluster.run(cluster.broker(0).controller.electLeaders([{ topic: 't', partition }], type));
    expect((await elect(0, 'PREFERRED'))[0]).toMatchObject({
      errorCode: ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE,
      leader: 2,
    });
    await cluster.startBroker(1);
    expect((await elect(0, 'PREFERRED'))[0]!.errorCode).toBe(ErrorCode.PREFERRED_LEADER_NOT_AVAILABLE);
    await rejoinIsr(cluster, [2, 1]);
    expect((await elect(0, 'PREFERRED'))[0]).toMatchObject({ errorCode: 0, leader: 1 });
    expect(await cluster.state('t')).toMatchObject({ leader: 1, isr: [2, 1], leaderEpoch: 2 });
    expect((await elect(0, 'PREFERRED'))[0]!.errorCode).toBe(ErrorCode.ELECTION_NOT_NEEDED);
    expect((await elect(0, 'UNCLEAN'))[0]!.errorCode).toBe(ErrorCode.ELECTION_NOT_NEEDED);
    expect((await elect(9, 'PREFERRED'))[0]!.errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
  });

  test('a broker that is not the controller refuses', async () => {
    const cluster = await ControllerCluster.start([0, 1]);
    const [result] = await cluster.run(
      cluster.broker(1).controller.electLeaders([{ topic: 't', partition: 0 }], 'PREFERRED'),
    );
    expect(result!.errorCode).toBe(ErrorCode.NOT_CONTROLLER);
    await expect(cluster.run(cluster.broker(1).controller.electLeaders(null, 'PREFERRED'))).rejects.toThrow(
      'not the active',
    );
  });

  test('request through ZooKeeper: the node goes, whether it helped or not', async () => {
    const cluster = await displaced({ 'auto.leader.rebalance.enable': 'false' });
    const path = '/admin/preferred_replica_election';
    const zk = cluster.broker(0).zooKeeper;
    const ask = async () => {
      const data = Buffer.from('{"version":1,"partitions":[{"topic":"t","partition":0}]}');
      await cluster.run(zk.create(path, data, 'persistent'));
      await cluster.until('node removed', async () => (await zk.exists(path)) === null);
    };
    await ask();
    expect((await cluster.state('t'))?.leader).toBe(2);
    await cluster.startBroker(1);
    await rejoinIsr(cluster, [2, 1]);
    await ask();
    await cluster.untilState('t', 0, { leader: 1 });
  });

  test('leadership is given back by itself', async () => {
    const cluster = await displaced({ 'leader.imbalance.check.interval.seconds': '10' });
    await cluster.startBroker(1);
    await rejoinIsr(cluster, [2, 1]);
    await cluster.untilState('t', 0, { leader: 1, leaderEpoch: 2 });
  });
});

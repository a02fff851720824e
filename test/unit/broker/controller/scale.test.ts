import { expect, test } from 'vitest';
import { LeaderAndIsr } from '../../../../shared/protocol/messages/leader-and-isr.ts';
import { ControllerCluster } from '../../../support/controller-cluster.ts';

const PARTITIONS = 1000;

test('a broker that led 1,000 partitions dies: a few round trips, one LeaderAndIsr a broker', async () => {
  const cluster = await ControllerCluster.start([0, 1, 2]);
  await cluster.createTopic('t', Array<number[]>(PARTITIONS).fill([1, 2, 0]));
  const controller = cluster.broker(0).controller;
  const led = (leader: number) => cluster.broker(2).metadata.get(`t-${PARTITIONS - 1}`)?.leader === leader;
  await cluster.until('created', () => led(1));
  const before = cluster.broker(2).requests(LeaderAndIsr).length;
  await cluster.run(cluster.broker(1).stop());
  const startMs = cluster.time.now();
  await cluster.until('moved', () => led(2));
  expect(cluster.time.now() - startMs).toBeLessThan(30);
  const sent = cluster.broker(2).requests(LeaderAndIsr).slice(before);
  expect(sent).toHaveLength(1);
  expect(sent[0]!.topicStates[0]!.partitionStates).toHaveLength(PARTITIONS);
  expect(controller.snapshot()).toMatchObject({
    globalPartitionCount: PARTITIONS,
    offlinePartitionsCount: 0,
    preferredReplicaImbalanceCount: PARTITIONS,
    activeBrokerCount: 2,
  });
});

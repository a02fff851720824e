import { expect, test } from 'vitest';
import { StopReplica } from '../../../../shared/protocol/messages/stop-replica.ts';
import { UpdateMetadata } from '../../../../shared/protocol/messages/update-metadata.ts';
import { assigned, ControllerCluster } from '../../../support/controller-cluster.ts';

async function clusterWithTopic(
  ids: readonly number[],
  settings: Record<string, string> = {},
): Promise<ControllerCluster> {
  const cluster = await ControllerCluster.start(ids, settings);
  await cluster.createTopic('t', [
    [1, 2],
    [2, 1],
  ]);
  await cluster.untilState('t', 1, { leader: 2, isr: [2, 1] });
  await cluster.until('brokers know', () => cluster.broker(1).metadata.size === 2);
  return cluster;
}

async function isGone(cluster: ControllerCluster): Promise<boolean> {
  const { store } = cluster;
  const [names, marks, configs] = await Promise.all([
    store.topics.names(),
    store.deletions.list(),
    store.configs.entities('topics'),
  ]);
  return names.length + marks.length + configs.length === 0;
}

test('replicas are stopped, then deleted; then the znodes go; caches forget at once', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('gone', () => isGone(cluster));
  for (const id of [0, 1, 2]) {
    expect(cluster.broker(id).metadata.size).toBe(0);
    expect(cluster.broker(id).replicas.size).toBe(0);
    const leaders = cluster
      .broker(id)
      .requests(UpdateMetadata)
      .flatMap(r => r.topicStates.flatMap(t => t.partitionStates.map(p => p.leader)));
    expect(leaders).toContain(-2);
  }
  const stops = cluster
    .broker(1)
    .requests(StopReplica)
    .flatMap(r => r.topicStates[0]!.partitionStates);
  expect(stops.map(p => p.deletePartition)).toEqual([false, false, true, true]);
  expect(new Set(stops.map(p => p.leaderEpoch))).toEqual(new Set([-2]));
  expect(cluster.controller.controller.snapshot().globalTopicCount).toBe(0);
});

test('a topic of the same name afterwards has another id and begins at leader epoch 0', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  const before = (await cluster.run(cluster.store.topics.get('t')))!.topicId;
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('gone', () => isGone(cluster));
  await cluster.createTopic('t', [[2, 1]]);
  await cluster.untilState('t', 0, { leader: 2, leaderEpoch: 0 });
  expect((await cluster.run(cluster.store.topics.get('t')))!.topicId).not.toBe(before);
});

test('one replica is down: the deletion waits for it, over a change of controllers too', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  cluster.broker(2).crash();
  await cluster.untilState('t', 1, { leader: 1, isr: [1] });
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('the live replicas are deleted', () => cluster.broker(1).replicas.size === 0);
  await cluster.time.advance(500);
  expect(await cluster.run(cluster.store.deletions.list())).toEqual(['t']);
  expect(cluster.broker(0).controller.snapshot()).toMatchObject({
    topicsToDeleteCount: 1,
    topicsIneligibleToDeleteCount: 1,
  });

  await cluster.run(cluster.broker(0).stop());
  await cluster.until('a successor', () => cluster.broker(1).controller.isActive);
  await cluster.time.advance(500);
  expect(await cluster.run(cluster.store.deletions.list())).toEqual(['t']);
  const returned = await cluster.startBroker(2);
  await cluster.until('gone', () => isGone(cluster));
  expect(returned.replicas.size).toBe(0);
});

test('a replica dies while the deletion is under way', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  cluster.broker(2).mute = true;
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('1 has deleted', () => cluster.broker(1).replicas.size === 0);
  cluster.broker(2).crash();
  await cluster.until('halted', () => cluster.broker(0).controller.snapshot().topicsIneligibleToDeleteCount === 1);
  await cluster.startBroker(2);
  await cluster.until('gone', () => isGone(cluster));
});

test('a replica that cannot be deleted halts the deletion until its broker restarts', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  cluster.broker(2).undeletable.add('t-0');
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('halted', () => cluster.broker(0).controller.snapshot().topicsIneligibleToDeleteCount === 1);
  await cluster.time.advance(1000);
  expect(await cluster.run(cluster.store.deletions.list())).toEqual(['t']);
  await cluster.run(cluster.broker(2).stop());
  await cluster.startBroker(2);
  await cluster.until('gone', () => isGone(cluster));
});

test('partitions added to a topic that is being deleted are taken back', async () => {
  const cluster = await clusterWithTopic([0, 1, 2]);
  cluster.broker(2).crash();
  await cluster.untilState('t', 1, { leader: 1, isr: [1] });
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('1 has deleted', () => cluster.broker(1).replicas.size === 0);
  await cluster.run(cluster.store.topics.addPartitions('t', new Map([[2, assigned([1])]])));
  await cluster.until('taken back', async () => (await cluster.store.topics.get('t'))?.partitions.size === 2);
  await cluster.startBroker(2);
  await cluster.until('gone', () => isGone(cluster));
});

test('delete.topic.enable=false: the mark is taken away, the topic stays; at a start as well', async () => {
  const cluster = await clusterWithTopic([0, 1, 2], { 'delete.topic.enable': 'false' });
  await cluster.run(cluster.store.deletions.mark('t'));
  await cluster.until('mark removed', async () => (await cluster.store.deletions.list()).length === 0);
  expect(await cluster.run(cluster.store.topics.names())).toEqual(['t']);
});

test('marks of topics that do not exist are taken away, with what is left of their config', async () => {
  const cluster = await ControllerCluster.start([]);
  await cluster.run(cluster.store.deletions.mark('half-deleted'));
  await cluster.run(cluster.store.configs.set('topics', 'half-deleted', new Map([['retention.ms', '1']])));
  await cluster.startBroker(0);
  await cluster.until('gone', () => isGone(cluster));
  await cluster.run(cluster.store.deletions.mark('unknown'));
  await cluster.until('gone', () => isGone(cluster));
});

import { expect, test } from 'vitest';
import { ControllerCluster } from '../../../support/controller-cluster.ts';

test('a failed log directory: what was in it moves, the rest stays; after a repair the broker is asked again', async () => {
  const cluster = await ControllerCluster.start([0, 1, 2]);
  await cluster.createTopic('t', [
    [1, 2],
    [1, 2],
  ]);
  await cluster.untilState('t', 1, { leader: 1 });
  await cluster.until('1 has both', () => cluster.broker(1).replicas.size === 2);
  cluster.broker(1).failedDirs.add('t-0');
  await cluster.run(cluster.store.logDirEvents.add(1));
  await cluster.untilState('t', 0, { leader: 2, isr: [2], leaderEpoch: 1 });
  expect(await cluster.state('t', 1)).toMatchObject({ leader: 1, isr: [1, 2], leaderEpoch: 0 });
  await cluster.until('event removed', async () => (await cluster.store.logDirEvents.list()).size === 0);
  await cluster.until('caches', () => cluster.broker(0).metadata.get('t-0')?.offlineReplicas.includes(1) === true);

  await cluster.run(cluster.broker(1).stop());
  await cluster.startBroker(1);
  await cluster.until('online again', () => cluster.broker(0).metadata.get('t-0')?.offlineReplicas.length === 0);
});

test('a successor learns of failed directories from the answers to its first LeaderAndIsr', async () => {
  const cluster = await ControllerCluster.start([0, 1, 2]);
  await cluster.createTopic('t', [[1, 2]]);
  await cluster.untilState('t', 0, { leader: 1 });
  cluster.broker(1).failedDirs.add('t-0');
  await cluster.run(cluster.broker(0).stop());
  await cluster.untilState('t', 0, { leader: 2, isr: [2] });
});

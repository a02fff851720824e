import { describe, expect, test } from 'vitest';
import { FAILPOINTS, type Failpoint } from '../../../../broker/controller/failpoints.ts';
import { ControllerCluster, type StubBroker } from '../../../support/controller-cluster.ts';

/** A broker that dies the first time its controller comes by the named place, after it has been armed. */
function fatal(name: Failpoint) {
  let victim: StubBroker | null = null;
  const failpoints = {
    hits: 0,
    arm: (broker: StubBroker) => (victim = broker),
    hit(point: Failpoint): Promise<void> | void {
      if (point !== name || victim === null) return;
      failpoints.hits++;
      victim.crash();
      return new Promise(() => {});
    },
  };
  return failpoints;
}

/** Everything a controller does, so that it comes by every place; then what must be true whoever finished it. */
async function workload(cluster: ControllerCluster): Promise<void> {
  const { store } = cluster;
  await cluster.createTopic('kept', [
    [1, 2],
    [2, 1],
    [1, 2],
  ]);
  await cluster.createTopic('doomed', [
    [1, 2],
    [2, 1],
  ]);
  await cluster.untilState('doomed', 1, { leader: 2 });
  await cluster.untilState('kept', 2, { leader: 1 });
  await cluster.run(store.deletions.mark('doomed'));
  cluster.broker(1).crash();
  await cluster.untilState('kept', 2, { leader: 2, isr: [2] });
  await cluster.time.advance(2000);
  await cluster.startBroker(1);
}

async function expectSettled(cluster: ControllerCluster): Promise<void> {
  const { store } = cluster;
  await cluster.until('the doomed topic is gone', async () => {
    const [names, marks, configs] = await Promise.all([
      store.topics.names(),
      store.deletions.list(),
      store.configs.entities('topics'),
    ]);
    return names.length === 1 && marks.length === 0 && configs.length === 1;
  });
  for (const partition of [0, 1, 2]) await cluster.untilState('kept', partition, { leader: 2, isr: [2] });
  for (const id of [1, 2]) {
    const { metadata, replicas } = cluster.broker(id);
    await cluster.until(`broker ${id} knows the leaders`, () =>
      [0, 1, 2].every(p => metadata.get(`kept-${p}`)?.leader === 2 && replicas.get(`kept-${p}`)?.leader === 2),
    );
    await cluster.until(`broker ${id} has nothing else`, () => metadata.size === 3 && replicas.size === 3);
  }
}

/**
 * Places that this workload does not come by: they are of old topics, partition additions, ISR proposals, surrender, and
 * reassignments, which reassigning.test.ts has.
 */
const ELSEWHERE: readonly Failpoint[] = [
  ...FAILPOINTS.filter(name => name.startsWith('reassignment.')),
  'topic-id.before-write',
  'topic-id.after-write',
  'partition-addition.before-revert',
  'partition-addition.after-revert',
  'alter-partition.before-write',
  'alter-partition.after-write',
  'resignation.before-controller-removal',
];

describe('a controller dies at any place, and its successor goes on from there', () => {
  test.each(FAILPOINTS.filter(name => !ELSEWHERE.includes(name)))('%s', async name => {
    const cluster = await ControllerCluster.start([]);
    const failpoints = fatal(name);
    const atStart = name.startsWith('failover') || name.startsWith('controller-election');
    if (atStart) await cluster.startBroker(3);
    const starting = cluster.startBroker(0, failpoints);
    if (!atStart) failpoints.arm(await starting);
    await starting;
    for (const id of [1, 2]) await cluster.startBroker(id);
    if (atStart) {
      failpoints.arm(cluster.broker(0));
      // Broker 0 shall be the one that is elected next: the others do not look.
      for (const id of [1, 2]) cluster.broker(id).zooKeeper.disconnect();
      await cluster.run(cluster.broker(3).stop());
      await cluster.time.advance(200);
      for (const id of [1, 2]) cluster.broker(id).zooKeeper.reconnect();
    }
    await workload(cluster);
    await expectSettled(cluster);
    expect(failpoints.hits).toBe(1);
    expect(cluster.broker(0).running).toBe(false);
    await cluster.until('a successor', () => [1, 2].some(id => cluster.broker(id).controller.isActive));
  });
});

import { expect, test } from 'vitest';
import { ReplicationCluster } from './support.ts';

test('what goes to a replica that a reassignment adds is told apart on both sides', async () => {
  const cluster = await ReplicationCluster.start([1, 2, 3]);
  await cluster.elect(1, { replicas: [1, 2] });
  await cluster.during(cluster.broker(1).produce(['a', 'b'], { acks: -1 }));
  const { sizeInBytes } = await cluster.during(cluster.broker(1).fetch({ fetchOffset: 0 }));
  const sentTo = async (replicaId: number) => {
    const { isReassignment } = await cluster.during(cluster.broker(1).fetch({ fetchOffset: 0 }, { replicaId }));
    return isReassignment;
  };
  await cluster.elect(1, { replicas: [1, 2, 3], adding: [3] });
  await cluster.time.until('3 has everything', () => cluster.broker(3).log().logEndOffset === 2);
  expect(cluster.broker(2).replicated).toEqual({ reassigned: 0, followed: sizeInBytes });
  expect(cluster.broker(3).replicated).toEqual({ reassigned: sizeInBytes, followed: 0 });
  expect([await sentTo(3), await sentTo(2), await sentTo(-1)]).toEqual([true, false, false]);
  await cluster.elect(1, { adding: [] });
  expect(await sentTo(3)).toBe(false);
});

import { expect, test } from 'vitest';
import { ControllerContext, type ControlledPartition } from '../../../../broker/controller/context.ts';
import { imbalancedPartitions } from '../../../../broker/controller/preferred-election.ts';

/** Ten partitions that prefer broker 1 and have broker 2 in sync as well; all but `displaced` are led by 1. */
function cluster(displaced: number): { context: ControllerContext; partitions: ControlledPartition[] } {
  const context = new ControllerContext();
  for (const id of [1, 2]) {
    const registration = { id, endpoints: [], rack: null, jmxPort: -1, timestampMs: 0 };
    context.putBroker({ id, epoch: 1n, registration });
  }
  const topic = context.addTopic('t', 'id');
  const partitions = Array.from({ length: 10 }, (_, number) => {
    const partition = context.addPartition(topic, number, { replicas: [1, 2], adding: [], removing: [] });
    const leader = number < displaced ? 2 : 1;
    partition.leadership = {
      leader,
      leaderEpoch: 0,
      isr: [1, 2],
      controllerEpoch: 1,
      partitionEpoch: 0,
      recovering: false,
    };
    return partition;
  });
  return { context, partitions };
}

function imbalanced(context: ControllerContext): number[] {
  return imbalancedPartitions(context, 10).map(({ partition }) => partition);
}

test('only a broker that lacks more than the percentage gets its leadership back', () => {
  expect(imbalanced(cluster(1).context)).toEqual([]);
  expect(imbalanced(cluster(2).context)).toEqual([0, 1]);
});

test('left alone: under reassignment, preferred replica out of sync, topic going away', () => {
  const { context, partitions } = cluster(4);
  partitions[0]!.assignment = { replicas: [1, 2, 3], adding: [3], removing: [] };
  partitions[1]!.leadership = { ...partitions[1]!.leadership!, isr: [2] };
  expect(imbalanced(context)).toEqual([2, 3]);
  context.topic('t')!.queuedForDeletion = true;
  expect(imbalanced(context)).toEqual([]);
});

test('left alone: preferred broker about to stop, or gone', () => {
  const { context } = cluster(4);
  context.markShuttingDown(1);
  expect(imbalanced(context)).toEqual([]);
  context.removeBroker(1);
  expect(imbalanced(context)).toEqual([]);
});

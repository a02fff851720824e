import { expect, test } from 'vitest';
import { reassignmentProgress } from '../../../../admin-cli/reassign/progress.ts';
import type { Admin } from '../../../../client/index.ts';

const WANTED = [{ topic: 't', partition: 0, replicas: [2, 1] }];

/** A cluster that tells of one partition, each time it is asked, the next of these; the last one for ever. */
function cluster(...told: readonly (readonly number[])[]): { admin: Admin; asked: () => number } {
  let asked = 0;
  const admin = {
    listPartitionReassignments: () => Promise.resolve([]),
    listTopics() {
      const replicas = told[Math.min(asked++, told.length - 1)]!;
      return Promise.resolve([{ name: 't', partitions: [{ partition: 0, replicas }] }]);
    },
  };
  return { admin: admin as unknown as Admin, asked: () => asked };
}

test('a reassignment that the controller has completed is not given up because a broker has not heard of it', async () => {
  const { admin } = cluster([2, 1, 0], [2, 1]);
  const { states, isIdle } = await reassignmentProgress(admin, WANTED);
  expect(states).toEqual([{ topic: 't', partition: 0, current: [2, 1], target: [2, 1], isOver: true }]);
  expect(isIdle).toBe(true);
});

test('one that was never begun is reported when the brokers have had time to hear of it', async () => {
  const { admin, asked } = cluster([0, 1]);
  const { states } = await reassignmentProgress(admin, WANTED, 150);
  expect(states).toMatchObject([{ current: [0, 1], isOver: true }]);
  expect(asked()).toBeGreaterThan(1);
});

test('a partition that does not exist is not waited for', async () => {
  const { admin, asked } = cluster([0, 1]);
  const { states } = await reassignmentProgress(admin, [{ topic: 'other', partition: 0, replicas: [1] }]);
  expect(states).toMatchObject([{ current: [], isOver: true }]);
  expect(asked()).toBe(1);
});

import { describe, expect, test } from 'vitest';
import {
  isTargetReady,
  originReplicas,
  reassignmentProblem,
  reassignTo,
  settledAssignment,
  targetFormProblem,
  targetReplicas,
} from '../../../../broker/controller/reassignment.ts';
import type { LeaderAndIsr } from '../../../../shared/zookeeper/store.ts';

function led(isr: readonly number[]): LeaderAndIsr {
  return { leader: isr[0]!, leaderEpoch: 1, isr, controllerEpoch: 1, partitionEpoch: 1, recovering: false };
}

describe('an assignment under way', () => {
  const moving = reassignTo(settledAssignment([1, 2]), [2, 3]);

  test('has the target first, then what goes', () => {
    expect(moving).toEqual({ replicas: [2, 3, 1], adding: [3], removing: [1] });
    expect(targetReplicas(moving)).toEqual([2, 3]);
    expect(originReplicas(moving)).toEqual([2, 1]);
  });

  test('given another target, forgets the former one', () => {
    expect(reassignTo(moving, [4, 1])).toEqual({ replicas: [4, 1, 2], adding: [4], removing: [2] });
  });

  test('on its way back has nothing to add or to remove', () => {
    expect(reassignTo(moving, originReplicas(moving))).toEqual(settledAssignment([2, 1]));
  });

  test.each<[string, readonly number[], readonly number[], boolean]>([
    ['the new one is not in sync', [1, 2], [1, 2, 3], false],
    ['all of the target are in sync', [1, 2, 3], [1, 2, 3], true],
    ['all in sync, but none of them can lead', [1, 2, 3], [1], false],
    ['all in sync, one can lead', [2, 3], [3], true],
  ])('is ready or not: %s', (_what, isr, online, ready) => {
    expect(isTargetReady(moving, led(isr), id => online.includes(id))).toBe(ready);
  });

  test('is ready at once when only the order is new, even without a leader', () => {
    expect(isTargetReady(reassignTo(settledAssignment([1, 2]), [2, 1]), null, () => false)).toBe(true);
    expect(isTargetReady(moving, null, () => true)).toBe(false);
  });
});

describe('a target', () => {
  test.each<[readonly number[], string | null]>([
    [[1, 2], null],
    [[], 'is empty'],
    [[1, 2, 1], '1,2,1 names a broker more than once'],
    [[1, -2], '1,-2 has a negative broker id'],
  ])('of the form %j', (target, problem) => {
    if (problem === null) expect(targetFormProblem(target)).toBeNull();
    else expect(targetFormProblem(target)).toContain(problem);
  });

  test('may name brokers that are down if they have a replica already, but none to be added', () => {
    const isLive = (id: number) => id !== 2;
    const current = settledAssignment([1, 2]);
    expect(reassignmentProblem(reassignTo(current, [2, 3]), { leadership: led([1]), isLive })).toBeNull();
    expect(reassignmentProblem(reassignTo(settledAssignment([1]), [1, 2]), { leadership: led([1]), isLive })).toContain(
      'added, 2, not all are alive',
    );
  });

  test('must leave somebody who has the records', () => {
    const moving = reassignTo(settledAssignment([1, 2]), [3, 4]);
    const situation = { leadership: led([3, 4]), isLive: () => true };
    expect(reassignmentProblem(reassignTo(moving, originReplicas(moving)), situation)).toContain(
      'records would be lost',
    );
    expect(reassignmentProblem(reassignTo(moving, [3]), situation)).toBeNull();
  });
});

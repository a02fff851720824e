import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Random } from '../../../../shared/runtime/random.ts';
import {
  assignAddedReplicas,
  AssignmentError,
  assignReplicas,
  type Assignment,
  type CandidateBroker,
} from '../../../../shared/topics/assignment.ts';

/** Draws the given numbers, one after the other and again from the start. */
function drawing(...numbers: number[]): Random {
  let next = 0;
  return {
    int: bound => (numbers[next++ % numbers.length] ?? 0) % bound,
    float: () => 0,
    bytes: length => Buffer.alloc(length),
  };
}

const plain = (...ids: number[]): CandidateBroker[] => ids.map(id => ({ id, rack: null }));
const racked = (racks: Record<number, string>): CandidateBroker[] =>
  Object.entries(racks).map(([id, rack]) => ({ id: Number(id), rack }));
const rows = (assignment: Assignment) => [...assignment.values()];
const failure = (run: () => unknown) => {
  try {
    run();
  } catch (error) {
    if (error instanceof AssignmentError) return error.kind;
    throw error;
  }
  return null;
};

const anyStart = fc.tuple(fc.nat(), fc.nat());
const anyBrokers = fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 12 });

function countBy(ids: readonly number[], assigned: readonly number[]): number[] {
  return ids.map(id => assigned.filter(other => other === id).length);
}

const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);

describe('without racks', () => {
  it('assigns as Kafka does with a fixed start', () => {
    expect(rows(assignReplicas(plain(4, 2, 0, 1, 3), 10, 3, drawing(0)))).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
      [3, 4, 0],
      [4, 0, 1],
      [0, 2, 3],
      [1, 3, 4],
      [2, 4, 0],
      [3, 0, 1],
      [4, 1, 2],
    ]);
  });

  it('begins where chance says', () => {
    expect(rows(assignReplicas(plain(0, 1, 2), 3, 2, drawing(2, 1)))).toEqual([
      [2, 1],
      [0, 2],
      [1, 0],
    ]);
  });

  it('spreads leaders evenly, and replicas as evenly as rounds allow, and never twice on one broker', () => {
    fc.assert(
      fc.property(anyBrokers, fc.integer({ min: 1, max: 100 }), fc.nat(), anyStart, (ids, partitions, rf, start) => {
        const replicationFactor = 1 + (rf % ids.length);
        const assigned = rows(assignReplicas(plain(...ids), partitions, replicationFactor, drawing(...start)));
        expect(assigned).toHaveLength(partitions);
        for (const replicas of assigned) expect(new Set(replicas).size).toBe(replicationFactor);
        expect(
          spread(
            countBy(
              ids,
              assigned.map(replicas => replicas[0]!),
            ),
          ),
        ).toBeLessThanOrEqual(1);
        expect(spread(countBy(ids, assigned.flat()))).toBeLessThanOrEqual(replicationFactor);
      }),
    );
  });

  it('spreads the followers of each leader over all other brokers', () => {
    const assigned = rows(assignReplicas(plain(0, 1, 2, 3, 4), 20, 2, drawing(3, 1)));
    for (const leader of [0, 1, 2, 3, 4]) {
      const followers = assigned.filter(replicas => replicas[0] === leader).map(replicas => replicas[1]!);
      expect(followers.sort()).toEqual([0, 1, 2, 3, 4].filter(id => id !== leader));
    }
  });
});

describe('with racks', () => {
  it('assigns as Kafka documents it', () => {
    const brokers = racked({ 0: 'rack1', 1: 'rack3', 2: 'rack3', 3: 'rack2', 4: 'rack2', 5: 'rack1' });
    expect(rows(assignReplicas(brokers, 7, 3, drawing(0)))).toEqual([
      [0, 3, 1],
      [3, 1, 5],
      [1, 5, 4],
      [5, 4, 2],
      [4, 2, 0],
      [2, 0, 3],
      [0, 4, 2],
    ]);
  });

  it('uses as many racks as it can, never one broker twice, and spreads leaders evenly', () => {
    const brokers = fc.uniqueArray(fc.record({ id: fc.nat(1000), rack: fc.constantFrom('a', 'b', 'c', 'd') }), {
      selector: broker => broker.id,
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(brokers, fc.integer({ min: 1, max: 60 }), fc.nat(), anyStart, (brokers, partitions, rf, start) => {
        const replicationFactor = 1 + (rf % brokers.length);
        const rackOf = new Map(brokers.map(({ id, rack }) => [id, rack]));
        const racks = new Set(rackOf.values()).size;
        const assigned = rows(assignReplicas(brokers, partitions, replicationFactor, drawing(...start)));
        for (const replicas of assigned) {
          expect(new Set(replicas).size).toBe(replicationFactor);
          expect(new Set(replicas.map(id => rackOf.get(id))).size).toBe(Math.min(racks, replicationFactor));
        }
        const leaders = assigned.map(replicas => replicas[0]!);
        expect(spread(countBy([...rackOf.keys()], leaders))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('spreads replicas evenly when racks are of one size', () => {
    const brokers = racked({ 0: 'a', 1: 'b', 2: 'c', 3: 'a', 4: 'b', 5: 'c' });
    const assigned = rows(assignReplicas(brokers, 36, 3, drawing(2, 5)));
    expect(countBy([0, 1, 2, 3, 4, 5], assigned.flat())).toEqual([18, 18, 18, 18, 18, 18]);
  });

  it('refuses when only some brokers name their rack', () => {
    const brokers = [...plain(0), ...racked({ 1: 'a' })];
    expect(failure(() => assignReplicas(brokers, 1, 1, drawing(0)))).toBe('INVALID_REPLICATION_FACTOR');
  });
});

describe('adding partitions', () => {
  it('assigns as Kafka does: leaders go on round the brokers, the shift begins with the first leader', () => {
    const added = assignAddedReplicas(plain(0, 1, 2, 3, 4), [1, 3, 4], 3, 8, drawing(0));
    expect([...added]).toEqual([
      [3, [4, 1, 2]],
      [4, [0, 2, 3]],
      [5, [1, 4, 0]],
      [6, [2, 0, 1]],
      [7, [3, 1, 2]],
    ]);
  });

  it('keeps leaders evenly spread, however often partitions are added', () => {
    fc.assert(
      fc.property(
        anyBrokers,
        fc.nat(),
        fc.array(fc.integer({ min: 1, max: 10 })),
        anyStart,
        (ids, rf, steps, start) => {
          const assignment = assignReplicas(plain(...ids), 1, 1 + (rf % ids.length), drawing(...start));
          for (const step of steps) {
            const { size } = assignment;
            const added = assignAddedReplicas(plain(...ids), assignment.get(0)!, size, size + step, drawing(0));
            expect([...added.keys()]).toEqual(Array.from({ length: step }, (_, i) => size + i));
            for (const [partition, replicas] of added) assignment.set(partition, replicas);
          }
          for (const replicas of rows(assignment)) expect(new Set(replicas).size).toBe(assignment.get(0)!.length);
          const leaders = rows(assignment).map(replicas => replicas[0]!);
          expect(spread(countBy(ids, leaders))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it('puts the next higher broker in the place of a first leader that is gone', () => {
    expect(rows(assignAddedReplicas(plain(0, 2, 3), [1, 2], 1, 2, drawing(0)))[0]![0]).toBe(3);
  });

  it('refuses a total that is no growth', () => {
    expect(failure(() => assignAddedReplicas(plain(0), [0], 3, 3, drawing(0)))).toBe('INVALID_PARTITIONS');
  });
});

it('refuses impossible numbers', () => {
  expect(failure(() => assignReplicas(plain(0), 0, 1, drawing(0)))).toBe('INVALID_PARTITIONS');
  expect(failure(() => assignReplicas(plain(0), 2 ** 31 - 1, 1, drawing(0)))).toBe('INVALID_PARTITIONS');
  expect(failure(() => assignAddedReplicas(plain(0), [0], 1, 2 ** 31 - 1, drawing(0)))).toBe('INVALID_PARTITIONS');
  expect(failure(() => assignReplicas(plain(0), 1, 0, drawing(0)))).toBe('INVALID_REPLICATION_FACTOR');
  expect(failure(() => assignReplicas(plain(0, 1), 1, 3, drawing(0)))).toBe('INVALID_REPLICATION_FACTOR');
  expect(failure(() => assignReplicas([], 1, 1, drawing(0)))).toBe('INVALID_REPLICATION_FACTOR');
});

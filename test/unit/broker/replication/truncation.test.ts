import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { truncationFor } from '../../../../broker/replication/truncation.ts';
import { LeaderEpochs } from '../../../../broker/storage/leader-epochs.ts';

/** A log as the epochs of its records. */
class EpochLog {
  records: number[];
  readonly #leads: boolean;

  /** @param leads a leader has an entry for its own epoch from the moment of its election */
  constructor(records: readonly number[], leads = false) {
    this.records = [...records];
    this.#leads = leads;
  }

  get logEndOffset(): number {
    return this.records.length;
  }

  get #epochs(): LeaderEpochs {
    const epochs = new LeaderEpochs();
    this.records.forEach((epoch, offset) => void epochs.assign(epoch, offset));
    if (this.#leads) epochs.assign(100, this.logEndOffset);
    return epochs;
  }

  get latestEpoch(): number {
    return this.records.at(-1) ?? -1;
  }

  endOffsetForEpoch(epoch: number) {
    return this.#epochs.endOffsetFor(epoch, this.logEndOffset);
  }
}

/** Has the follower fetch and truncate until it has the leader's log; returns the number of truncations. */
function catchUp(leader: EpochLog, follower: EpochLog): number {
  for (let rounds = 0; ;) {
    const { logEndOffset: fetchOffset, latestEpoch } = follower;
    const answer = leader.endOffsetForEpoch(latestEpoch);
    const diverges = latestEpoch >= 0 && (answer.leaderEpoch < latestEpoch || answer.endOffset < fetchOffset);
    if (!diverges) {
      follower.records.push(...leader.records.slice(fetchOffset));
      return rounds;
    }
    const { offset } = truncationFor(answer, {
      fetchOffset,
      logEndOffset: fetchOffset,
      endOffsetForEpoch: e => follower.endOffsetForEpoch(e),
    });
    expect(offset).toBeLessThan(fetchOffset);
    follower.records.length = offset;
    rounds += 1;
  }
}

/** Two logs with a common beginning; epochs grow, and none was led by both. */
const divergentLogs = fc
  .record({
    common: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 6 }),
    leader: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 6 }),
    follower: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 6 }),
  })
  .map(({ common, leader, follower }) => {
    const sorted = (epochs: readonly number[]) => [...epochs].sort((a, b) => a - b);
    const beginning = sorted(common);
    const own = (epochs: readonly number[], parity: number) => sorted(epochs.map(epoch => 4 + 2 * epoch + parity));
    return { leader: [...beginning, ...own(leader, 0)], follower: [...beginning, ...own(follower, 1)] };
  });

describe('where a follower truncates', () => {
  test('row 56: follower e0 e2 e4, leader e1 e3 e5, several rounds', () => {
    const leader = new EpochLog([1, 1, 3, 3, 5, 5], true);
    const follower = new EpochLog([0, 0, 2, 2, 4, 4]);
    expect(catchUp(leader, follower)).toBeGreaterThan(1);
    expect(follower.records).toEqual(leader.records);
  });

  test('row 57: only the tail differs', () => {
    const leader = new EpochLog([2, 2, 5]);
    const follower = new EpochLog([2, 2, 4]);
    const local = { fetchOffset: 3, logEndOffset: 3, endOffsetForEpoch: (e: number) => follower.endOffsetForEpoch(e) };
    expect(truncationFor(leader.endOffsetForEpoch(4), local)).toEqual({ offset: 2, isComplete: true });
  });

  test('row 58: a leader that knows nothing of epochs leaves the high watermark', () => {
    const local = { fetchOffset: 4, logEndOffset: 9, endOffsetForEpoch: () => ({ leaderEpoch: -1, endOffset: -1 }) };
    expect(truncationFor({ leaderEpoch: -1, endOffset: -1 }, local)).toEqual({ offset: 4, isComplete: true });
    expect(truncationFor({ leaderEpoch: -1, endOffset: 7 }, local)).toEqual({ offset: 7, isComplete: true });
    expect(truncationFor({ leaderEpoch: 3, endOffset: 12 }, local)).toEqual({ offset: 9, isComplete: true });
  });

  test('step by step, each shorter than the last, the follower comes to have the leader’s log', () => {
    fc.assert(
      fc.property(divergentLogs, logs => {
        const leader = new EpochLog(logs.leader, true);
        const follower = new EpochLog(logs.follower);
        catchUp(leader, follower);
        expect(follower.records).toEqual(leader.records);
      }),
    );
  });

  test('a truncation never cuts off records that both have', () => {
    fc.assert(
      fc.property(divergentLogs, logs => {
        const leader = new EpochLog(logs.leader, true);
        const follower = new EpochLog(logs.follower);
        const common = logs.leader.findIndex((epoch, i) => logs.follower[i] !== epoch);
        const shared = common === -1 ? Math.min(logs.leader.length, logs.follower.length) : common;
        const answer = leader.endOffsetForEpoch(follower.latestEpoch);
        fc.pre(answer.endOffset >= 0);
        const { offset } = truncationFor(answer, {
          fetchOffset: follower.logEndOffset,
          logEndOffset: follower.logEndOffset,
          endOffsetForEpoch: epoch => follower.endOffsetForEpoch(epoch),
        });
        expect(offset).toBeGreaterThanOrEqual(shared);
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FollowerState } from '../../../../broker/replication/follower-state.ts';

const MAX_LAG_MS = 30_000;

function newcomer(isInSync = true, nowMs = 0): FollowerState {
  const follower = new FollowerState(2);
  follower.reset(true, isInSync, 0, nowMs);
  return follower;
}

describe('a follower, as its leader sees it', () => {
  test('a member of the ISR gets the full time to fetch for the first time, another one none', () => {
    expect(newcomer(true).isCaughtUp(10, MAX_LAG_MS, MAX_LAG_MS)).toBe(true);
    expect(newcomer(true).isCaughtUp(10, MAX_LAG_MS + 1, MAX_LAG_MS)).toBe(false);
    expect(newcomer(false).isCaughtUp(10, 0, MAX_LAG_MS)).toBe(false);
    expect(newcomer().logEndOffset).toBe(-1);
  });

  test('row 77: reaching the end as of the previous fetch counts as caught up at that time', () => {
    const follower = newcomer(false);
    follower.noteFetch(0, 0, 10, 1000, null);
    expect(follower.isCaughtUp(20, 1000, MAX_LAG_MS)).toBe(false);
    follower.noteFetch(10, 0, 20, 5000, null);
    expect(follower.isCaughtUp(20, 1000 + MAX_LAG_MS, MAX_LAG_MS)).toBe(true);
    expect(follower.isCaughtUp(20, 1001 + MAX_LAG_MS, MAX_LAG_MS)).toBe(false);
    follower.noteFetch(19, 0, 30, 40_000, null);
    expect(follower.isCaughtUp(30, 40_000, MAX_LAG_MS)).toBe(false);
  });

  test('at the end it is caught up, however long it has been silent', () => {
    const follower = newcomer();
    follower.noteFetch(10, 0, 10, 1000, null);
    expect(follower.isCaughtUp(10, 1e9, MAX_LAG_MS)).toBe(true);
    expect(follower.isCaughtUp(11, 1000 + MAX_LAG_MS, MAX_LAG_MS)).toBe(true);
    expect(follower.isCaughtUp(11, 1001 + MAX_LAG_MS, MAX_LAG_MS)).toBe(false);
  });

  test('re-elected, a leader knows the offsets still; newly elected it knows nothing', () => {
    const follower = newcomer();
    follower.noteFetch(7, 3, 10, 1000, null);
    follower.reset(false, true, 10, 2000);
    expect([follower.logEndOffset, follower.logStartOffset]).toEqual([7, 3]);
    follower.reset(true, true, 10, 2000);
    expect([follower.logEndOffset, follower.logStartOffset]).toEqual([-1, -1]);
  });

  test('fetches of a session that do not mention the partition say what a mention would have said', () => {
    // The same history twice: every fetch noted, and only those after something changed, the rest by the contact.
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('fetch' as const), lag: fc.integer({ min: 0, max: 2 }) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 20_000 }), step)), steps => {
        const told = newcomer();
        const untold = newcomer();
        const contact = { lastFetchMs: -Infinity };
        let [now, end, isLively] = [0, 0, true];
        for (const [pause, each] of steps) {
          now += pause;
          if (each.kind === 'append') {
            untold.settle();
            end += each.count;
            isLively = true;
          } else {
            const offset = isLively ? Math.max(0, end - each.lag) : end;
            told.noteFetch(offset, 0, end, now, null);
            if (isLively) untold.noteFetch(offset, 0, end, now, contact);
            contact.lastFetchMs = now;
            isLively = offset < end;
          }
          for (const at of [now, now + MAX_LAG_MS]) {
            expect(untold.isCaughtUp(end, at, MAX_LAG_MS)).toBe(told.isCaughtUp(end, at, MAX_LAG_MS));
          }
          expect(untold.logEndOffset).toBe(told.logEndOffset);
        }
      }),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  electLeader,
  initialState,
  needsUncleanElection,
  stateAfterElection,
  stateWithoutReplica,
  type ElectionCandidate,
  type ElectionKind,
} from '../../../../broker/controller/election.ts';

interface Given {
  replicas: number[];
  isr: number[];
  live: number[];
  shuttingDown?: number[];
  leader?: number;
  uncleanAllowed?: boolean;
}

function candidate({
  replicas,
  isr,
  live,
  shuttingDown = [],
  leader = -1,
  uncleanAllowed = false,
}: Given): ElectionCandidate {
  return {
    replicas,
    current: { leader, leaderEpoch: 4, isr, controllerEpoch: 2, partitionEpoch: 9, recovering: false },
    isOnline: broker => live.includes(broker) && !shuttingDown.includes(broker),
    isOnlineOrShuttingDown: broker => live.includes(broker),
    isShuttingDown: broker => shuttingDown.includes(broker),
    uncleanAllowed,
  };
}

describe('strategies', () => {
  test.each<[string, ElectionKind, Given, object | null]>([
    [
      'offline: first online replica in sync',
      'offline',
      { replicas: [1, 2, 3], isr: [1, 3, 2], live: [2, 3] },
      { leader: 2, isr: [3, 2], unclean: false, recipients: [2, 3] },
    ],
    ['offline: online but out of sync', 'offline', { replicas: [1, 2], isr: [1], live: [2] }, null],
    [
      'offline: the same, unclean allowed',
      'offline',
      { replicas: [1, 2, 3], isr: [1], live: [2, 3], uncleanAllowed: true },
      { leader: 2, isr: [2], unclean: true, recipients: [2, 3] },
    ],
    [
      'offline: unclean allowed but not needed',
      'offline',
      { replicas: [1, 2], isr: [2], live: [1, 2], uncleanAllowed: true },
      { leader: 2, isr: [2], unclean: false, recipients: [1, 2] },
    ],
    ['offline: nobody online', 'offline', { replicas: [1], isr: [1], live: [], uncleanAllowed: true }, null],
    [
      'preferred',
      'preferred',
      { replicas: [1, 2], isr: [2, 1], live: [1, 2] },
      { leader: 1, isr: [2, 1], unclean: false, recipients: [1, 2] },
    ],
    ['preferred: offline', 'preferred', { replicas: [1, 2], isr: [2, 1], live: [2] }, null],
    ['preferred: out of sync', 'preferred', { replicas: [1, 2], isr: [2], live: [1, 2] }, null],
    [
      'shutdown: another one in sync',
      'controlledShutdown',
      { replicas: [1, 2, 3], isr: [1, 2], live: [1, 2, 3], shuttingDown: [1] },
      { leader: 2, isr: [2], unclean: false, recipients: [1, 2, 3] },
    ],
    [
      'shutdown: the others go as well',
      'controlledShutdown',
      { replicas: [1, 2], isr: [1, 2], live: [1, 2], shuttingDown: [1, 2] },
      null,
    ],
    [
      'shutdown: the only one in sync',
      'controlledShutdown',
      { replicas: [1, 2], isr: [1], live: [1, 2], shuttingDown: [1] },
      null,
    ],
  ])('%s', (_name, kind, given, expected) => {
    expect(electLeader(kind, candidate(given))).toEqual(expected);
  });

  test('whatever is given: a leader is an assigned, usable member of the new ISR, and a clean one was in the old', () => {
    const ids = fc.uniqueArray(fc.integer({ min: 0, max: 5 }));
    const given = fc.record({
      replicas: ids,
      isr: ids,
      live: ids,
      shuttingDown: ids,
      uncleanAllowed: fc.boolean(),
    });
    const kinds = fc.constantFrom<ElectionKind>('offline', 'preferred', 'controlledShutdown');
    fc.assert(
      fc.property(given, kinds, (g, kind) => {
        const asked = candidate(g);
        const outcome = electLeader(kind, asked);
        if (outcome === null) return;
        expect(g.replicas).toContain(outcome.leader);
        expect(asked.isOnline(outcome.leader)).toBe(true);
        expect(outcome.isr).toContain(outcome.leader);
        if (!outcome.unclean) expect(outcome.isr.every(replica => g.isr.includes(replica))).toBe(true);
        expect(outcome.unclean).toBe(!g.isr.includes(outcome.leader));
        if (kind === 'offline') expect(outcome.unclean).toBe(needsUncleanElection(asked));
        expect(outcome.recipients).toContain(outcome.leader);
      }),
    );
  });
});

describe('states', () => {
  const current = { leader: 1, leaderEpoch: 4, isr: [1, 2], controllerEpoch: 2, partitionEpoch: 9, recovering: false };

  test('an election raises the leader epoch, keeps the expected version, and remembers an unclean leader', () => {
    const outcome = { leader: 3, isr: [3], unclean: true, recipients: [3] };
    expect(stateAfterElection(current, outcome, 7)).toEqual({
      leader: 3,
      leaderEpoch: 5,
      isr: [3],
      controllerEpoch: 7,
      partitionEpoch: 9,
      recovering: true,
    });
    const recovering = { ...current, recovering: true };
    expect(stateAfterElection(recovering, { ...outcome, unclean: false }, 7).recovering).toBe(true);
  });

  test('a replica that goes leaves the ISR, unless it is the last', () => {
    const raised = { ...current, leaderEpoch: 5, controllerEpoch: 7 };
    expect(stateWithoutReplica(current, 2, 7)).toEqual({ ...raised, isr: [1] });
    expect(stateWithoutReplica(current, 1, 7)).toEqual({ ...raised, leader: -1, isr: [2] });
    const alone = { ...current, isr: [1] };
    expect(stateWithoutReplica(alone, 1, 7)).toEqual({ ...raised, leader: -1, isr: [1] });
    expect(stateWithoutReplica({ ...alone, leader: -1 }, 1, 7)).toBeNull();
    expect(stateWithoutReplica(current, 3, 7)).toBeNull();
  });

  test('the first state: the first that is online leads', () => {
    expect(initialState([2, 3], 7)).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 0, recovering: false });
    expect(initialState([], 7)).toBeNull();
  });
});

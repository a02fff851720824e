import { expect, test } from 'vitest';
import {
  isPrepared,
  isSettled,
  mayFollow,
  stateId,
  stateOfId,
  TRANSACTION_STATES,
} from '../../../../broker/transaction/states.ts';

test('a state may be entered from these and no others', () => {
  const after = Object.fromEntries(
    TRANSACTION_STATES.map(next => [next, TRANSACTION_STATES.filter(state => mayFollow(state, next)).join(' ')]),
  );
  expect(after).toEqual({
    Empty: 'Empty CompleteCommit CompleteAbort',
    Ongoing: 'Empty Ongoing CompleteCommit CompleteAbort',
    PrepareCommit: 'Ongoing',
    PrepareAbort: 'Ongoing PrepareEpochFence',
    CompleteCommit: 'PrepareCommit',
    CompleteAbort: 'PrepareAbort',
    Dead: 'Empty CompleteCommit CompleteAbort',
    PrepareEpochFence: 'Ongoing',
  });
});

test('states have the numbers of Kafka’s log', () => {
  expect(TRANSACTION_STATES.map(stateId)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(TRANSACTION_STATES.map(state => stateOfId(stateId(state)))).toEqual(TRANSACTION_STATES);
  expect(stateOfId(8)).toBeUndefined();
});

test('an id is prepared, or settled, or neither', () => {
  expect(TRANSACTION_STATES.filter(isPrepared)).toEqual(['PrepareCommit', 'PrepareAbort']);
  expect(TRANSACTION_STATES.filter(isSettled)).toEqual(['Empty', 'CompleteCommit', 'CompleteAbort']);
});

import { describe, expect, test } from 'vitest';
import {
  committedIsr,
  effectiveMinIsr,
  expandIsr,
  inMaximalIsr,
  isrRefusal,
  maximalIsrSize,
  mayJoinIsr,
  proposedIsr,
  shrinkIsr,
} from '../../../../broker/replication/isr.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';

describe('the ISR', () => {
  test('an expansion under way counts the newcomer already (row 79)', () => {
    const pending = expandIsr(committedIsr([1, 2]), 3);
    expect(proposedIsr(pending)).toEqual([1, 2, 3]);
    expect([1, 2, 3, 4].map(id => inMaximalIsr(pending, id))).toEqual([true, true, true, false]);
    expect(maximalIsrSize(pending)).toBe(3);
    expect(pending.isr.size).toBe(2);
  });

  test('a shrink under way still counts those that leave (row 79)', () => {
    const pending = shrinkIsr(committedIsr([1, 2, 3]), [2, 3]);
    expect(proposedIsr(pending)).toEqual([1]);
    expect([1, 2, 3].map(id => inMaximalIsr(pending, id))).toEqual([true, true, true]);
    expect(maximalIsrSize(pending)).toBe(3);
  });

  test('no more replicas can be asked for than there are', () => {
    expect([effectiveMinIsr(2, 3), effectiveMinIsr(2, 1), effectiveMinIsr(1, 3)]).toEqual([2, 1, 1]);
  });

  test.each([
    { end: 10, highWatermark: 10, epochStart: 10, may: true },
    { end: 9, highWatermark: 10, epochStart: 5, may: false },
    { end: 10, highWatermark: 8, epochStart: 11, may: false },
  ])('row 75: end $end, high watermark $highWatermark, epoch start $epochStart: $may', row => {
    expect(mayJoinIsr(row.end, row.highWatermark, row.epochStart)).toBe(row.may);
  });

  test('row 80: what a refusal means', () => {
    const { OPERATION_NOT_ATTEMPTED, INELIGIBLE_REPLICA, FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION } = ErrorCode;
    expect([OPERATION_NOT_ATTEMPTED, INELIGIBLE_REPLICA].map(isrRefusal)).toEqual(['revert', 'revert']);
    const outdated = [
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.UNKNOWN_TOPIC_ID,
      FENCED_LEADER_EPOCH,
      INVALID_UPDATE_VERSION,
      ErrorCode.INVALID_REQUEST,
      ErrorCode.NEW_LEADER_ELECTED,
    ];
    expect(new Set(outdated.map(isrRefusal))).toEqual(new Set(['await']));
    expect([ErrorCode.NOT_CONTROLLER, ErrorCode.UNKNOWN_SERVER_ERROR].map(isrRefusal)).toEqual(['retry', 'retry']);
  });
});

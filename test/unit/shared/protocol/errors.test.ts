import { describe, expect, test } from 'vitest';
import { ErrorCode, errorByCode } from '../../../../shared/protocol/errors.ts';

describe('the error table', () => {
  test('has every code from -1 to 127 once, under its name, with a sentence', () => {
    const codes = Object.values(ErrorCode);
    expect([...codes].sort((a, b) => a - b)).toEqual(Array.from({ length: 129 }, (_, i) => i - 1));
    for (const [name, code] of Object.entries(ErrorCode)) {
      expect(errorByCode(code)).toMatchObject({ code, name });
      expect(errorByCode(code).text).toMatch(/^[A-Z].+\.$/);
    }
  });

  test.each([
    ['NOT_LEADER_OR_FOLLOWER', true, true],
    ['UNKNOWN_TOPIC_ID', true, true],
    ['KAFKA_STORAGE_ERROR', true, true],
    ['NOT_CONTROLLER', true, false],
    ['NOT_ENOUGH_REPLICAS_AFTER_APPEND', true, false],
    ['UNKNOWN_LEADER_EPOCH', true, false],
    ['OFFSET_OUT_OF_RANGE', false, false],
    ['STALE_CONTROLLER_EPOCH', false, false],
    ['UNKNOWN_SERVER_ERROR', false, false],
  ] as const)('%s: retriable %s, refreshes metadata %s', (name, retriable, refreshMetadata) => {
    expect(errorByCode(ErrorCode[name])).toMatchObject({ name, retriable, refreshMetadata });
  });

  test('an unknown code is taken for UNKNOWN_SERVER_ERROR', () => {
    expect(errorByCode(9999).name).toBe('UNKNOWN_SERVER_ERROR');
    expect(errorByCode(-2).name).toBe('UNKNOWN_SERVER_ERROR');
  });
});

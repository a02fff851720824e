import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  GroupMetadataKey,
  GroupMetadataValue,
  OffsetCommitKey,
  OffsetCommitValue,
} from '../../../../shared/protocol/log-records/consumer-offsets.ts';
import { decodeVersioned, encodeVersioned, versionOf } from '../../../../shared/protocol/log-records/versioned.ts';
import type { Message } from '../../../../shared/protocol/message.ts';
import { arbitraryMessage } from '../../../support/arbitrary-message.ts';
import { runs } from '../../../support/property-runs.ts';

const messages: Message[] = [OffsetCommitKey, OffsetCommitValue, GroupMetadataKey, GroupMetadataValue];
const cases = messages.flatMap(message => {
  const { min, max } = message.versions;
  return Array.from({ length: max - min + 1 }, (_, i) => ({ name: message.name, message, version: min + i }));
});

test.each(cases)('$name v$version: reads what it wrote, its version first', ({ message, version }) => {
  fc.assert(
    fc.property(arbitraryMessage(message.fields, version), value => {
      const bytes = encodeVersioned(message, value, version);
      expect(versionOf(bytes)).toBe(version);
      expect(decodeVersioned(message, bytes)).toEqual(value);
    }),
    runs(25),
  );
});

test.each([Buffer.alloc(0), Buffer.of(0)])('fewer than two bytes have no version', bytes => {
  expect(() => versionOf(bytes)).toThrow(`a record of ${bytes.length} bytes has no version`);
});

/** Bytes of a broker of Apache Kafka. */
describe('is as Kafka writes it', () => {
  const offset = { group: 'my-group', topic: 'orders', partition: 1 };
  const commit = { offset: 1042, leaderEpoch: 5, metadata: '', commitTimestamp: 1_700_000_000_000 };

  test.each([
    [OffsetCommitKey, 1, offset, '0001 0008 6d792d67726f7570 0006 6f7264657273 00000001'],
    [OffsetCommitValue, 3, commit, '0003 0000000000000412 00000005 0000 0000018bcfe56800'],
    [
      OffsetCommitValue,
      1,
      { ...commit, leaderEpoch: -1, expireTimestamp: 1_700_086_400_000 },
      '0001 0000000000000412 0000 0000018bcfe56800 0000018bd50bc400',
    ],
    [GroupMetadataKey, 2, { group: 'my-group' }, '0002 0008 6d792d67726f7570'],
  ] as [Message, number, object, string][])('%#', (message, version, value, hex) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    expect(encodeVersioned(message, value, version)).toEqual(bytes);
    expect(decodeVersioned(message, bytes)).toMatchObject(value);
  });
});

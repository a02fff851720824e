import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, compress } from '../../../../shared/records/compression.ts';
import { compressLz4 } from '../../../../shared/records/lz4.ts';
import { readMessageSet, writeMessageSet } from '../../../../shared/records/message-set.ts';
import type { LegacyMagic, LegacyMessage } from '../../../../shared/records/message-set.ts';
import { T, TWO_RECORDS, bytes, expectNoOtherError, thrown } from './support.ts';
import { runs } from '../../../support/property-runs.ts';

const V0 = bytes('0000000000000003 00000015 71ef5770 00 00 00000002 6b31 00000005 68656c6c6f');
const V1 = bytes('0000000000000003 0000001d 9e349596 01 00 0000018bcfe56800 00000002 6b31 00000005 68656c6c6f');

function message(offset: number, value: string | null, timestamp = T, timestampType: 0 | 1 = 0): LegacyMessage {
  return {
    offset,
    timestamp,
    timestampType,
    key: Buffer.from(`k${offset}`),
    value: value === null ? null : Buffer.from(value),
  };
}

/** A wrapper around `set` as a producer might send it, with its own offset. */
function wrapper(
  magic: LegacyMagic,
  set: Buffer | null,
  edits: { offset?: number; codec?: number; appendTime?: number } = {},
) {
  const { offset = 0, codec = CODECS.gzip, appendTime } = edits;
  const value = set === null ? null : codec === CODECS.lz4 ? compressLz4(set, magic === 0) : compress(codec, set);
  const type = appendTime === undefined ? 0 : 1;
  const plain = writeMessageSet(
    [{ offset, timestamp: appendTime ?? T, timestampType: type, key: null, value }],
    magic,
    0,
  );
  return withCodec(plain, codec);
}

/** The same message with other codec bits and a CRC to match. */
function withCodec(entry: Buffer, codec: number): Buffer {
  const changed = Buffer.from(entry);
  changed[17]! |= codec;
  changed.writeUInt32BE(crc32(changed.subarray(16)), 12);
  return changed;
}

describe('message sets', () => {
  it('are written byte for byte', () => {
    const hello = {
      offset: 3,
      timestamp: T,
      timestampType: 0,
      key: Buffer.from('k1'),
      value: Buffer.from('hello'),
    } as const;
    expect(writeMessageSet([hello], 0, 0).toString('hex')).toBe(V0.toString('hex'));
    expect(writeMessageSet([hello], 1, 0).toString('hex')).toBe(V1.toString('hex'));
  });

  it('are read, magics mixed', () => {
    const found = [...readMessageSet(Buffer.concat([V0, V1]))];
    expect(found.map(({ offset, timestamp, value }) => [offset, timestamp, value!.toString()])).toEqual([
      [3, -1, 'hello'],
      [3, T, 'hello'],
    ]);
    expect([...readMessageSet(Buffer.alloc(0))]).toEqual([]);
  });

  const messages = fc
    .array(
      fc.record({
        gap: fc.nat(3),
        timestamp: fc.nat(2 ** 45),
        key: fc.option(fc.uint8Array({ maxLength: 20 }), { nil: null }),
        value: fc.option(fc.uint8Array({ maxLength: 200 }), { nil: null }),
      }),
      { minLength: 1, maxLength: 40 },
    )
    .map(list => {
      let offset = 5;
      return list.map(({ gap, timestamp, key, value }): LegacyMessage => {
        offset += 1 + gap;
        return {
          offset,
          timestamp,
          timestampType: 0,
          key: key && Buffer.from(key),
          value: value && Buffer.from(value),
        };
      });
    });

  it.each([
    [0, 'none'],
    [0, 'gzip'],
    [0, 'snappy'],
    [0, 'lz4'],
    [1, 'none'],
    [1, 'gzip'],
    [1, 'snappy'],
    [1, 'lz4'],
  ] as const)('written and read again are the same: magic %d, %s', (magic, name) => {
    fc.assert(
      fc.property(messages, list => {
        const expected = magic === 1 ? list : list.map(entry => ({ ...entry, timestamp: -1 }));
        expect([...readMessageSet(writeMessageSet(list, magic, CODECS[name]))]).toEqual(expected);
      }),
      runs(40),
    );
  });

  it('of no messages are empty', () => {
    expect(writeMessageSet([], 1, CODECS.gzip)).toHaveLength(0);
  });
});

describe('a wrapper', () => {
  const inner = writeMessageSet([message(0, 'a'), message(1, 'b'), message(2, 'c')], 1, 0);

  it('of magic 1 with a log’s offset gives the inner messages theirs', () => {
    expect([...readMessageSet(wrapper(1, inner, { offset: 102 }))].map(({ offset }) => offset)).toEqual([
      100, 101, 102,
    ]);
  });

  it('of magic 1 with a producer’s offset 0 leaves the inner ones', () => {
    expect([...readMessageSet(wrapper(1, inner))].map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  it('of magic 1 that survived compaction keeps the gaps', () => {
    const gappy = writeMessageSet([message(1, 'b'), message(4, 'e')], 1, 0);
    expect([...readMessageSet(wrapper(1, gappy, { offset: 54 }))].map(({ offset }) => offset)).toEqual([51, 54]);
  });

  it('of magic 0 has absolute inner offsets', () => {
    const set = writeMessageSet([message(70, 'a'), message(71, 'b')], 0, 0);
    expect([...readMessageSet(wrapper(0, set, { offset: 71 }))].map(({ offset }) => offset)).toEqual([70, 71]);
  });

  it('with LogAppendTime gives the inner messages its timestamp', () => {
    const found = [...readMessageSet(wrapper(1, inner, { appendTime: T + 999 }))];
    expect(found.map(({ timestamp, timestampType }) => [timestamp, timestampType])).toEqual(
      Array(3).fill([T + 999, 1]),
    );
  });

  it('with lz4 may have either header checksum', () => {
    for (const broken of [false, true]) {
      for (const magic of [0, 1] as const) {
        const set = writeMessageSet([message(0, 'a')], magic, 0);
        const value = compressLz4(set, broken);
        const plain = writeMessageSet([{ ...message(0, ''), key: null, value }], magic, 0);
        expect([...readMessageSet(withCodec(plain, CODECS.lz4))]).toHaveLength(1);
      }
    }
  });

  it.each([
    ['no value', wrapper(1, null), 'INVALID', /has no value/],
    ['no messages', wrapper(1, Buffer.alloc(0)), 'INVALID', /holds no messages/],
    ['messages of another magic', wrapper(1, V0), 'INVALID', /another magic/],
    ['a magic 2 batch', wrapper(1, TWO_RECORDS), 'INVALID', /magic 2/],
    ['a wrapper', wrapper(1, wrapper(1, V1)), 'INVALID', /holds a compressed message/],
    ['a torn set', wrapper(1, inner.subarray(0, inner.length - 1)), 'CORRUPT', /ends within a message/],
    ['garbage', withCodec(V1, CODECS.gzip), 'INVALID', /gzip-compressed records cannot be decompressed/],
    ['zstd', withCodec(V1, CODECS.zstd), 'UNSUPPORTED_COMPRESSION', /cannot be compressed with zstd/],
    ['a codec that does not exist', withCodec(V1, 5), 'UNSUPPORTED_COMPRESSION', /id 5/],
  ])('with %s is refused', (_name, set, kind, reason) => {
    const error = thrown(() => [...readMessageSet(set)]);
    expect(error).toMatchObject({ name: 'RecordsError', kind });
    expect(String(error)).toMatch(reason);
  });

  it('is bounded, all wrappers of a set together', () => {
    const one = wrapper(1, writeMessageSet([message(0, 'x'.repeat(1000))], 1, 0));
    const set = Buffer.concat([one, one, one]);
    expect([...readMessageSet(set, 4000)]).toHaveLength(3);
    expect(thrown(() => [...readMessageSet(set, 3000)])).toMatchObject({ kind: 'TOO_LARGE' });
  });
});

describe('damage to a message set', () => {
  it('in any bit behind the size is noticed', () => {
    for (const set of [V0, V1]) {
      for (let at = 12; at < set.length; at++) {
        const damaged = Buffer.from(set);
        damaged[at]! ^= 0x10;
        expect(
          thrown(() => [...readMessageSet(damaged)]),
          `byte ${at}`,
        ).toMatchObject({ kind: 'CORRUPT' });
      }
    }
  });

  it('within a wrapper is noticed by the inner checksum', () => {
    const inner = Buffer.from(V1);
    inner[inner.length - 1]! ^= 1;
    expect(thrown(() => [...readMessageSet(wrapper(1, inner))])).toMatchObject({ kind: 'CORRUPT' });
  });

  it('by a cut anywhere is noticed', () => {
    for (let length = 1; length < V1.length; length++) {
      expect(thrown(() => [...readMessageSet(V1.subarray(0, length))])).toMatchObject({ kind: 'CORRUPT' });
    }
  });

  it('with a valid checksum is INVALID where fields do not fit', () => {
    const damage = fc.array(fc.tuple(fc.integer({ min: 17, max: V1.length - 1 }), fc.nat(255)), { minLength: 1 });
    fc.assert(
      fc.property(damage, edits => {
        const damaged = Buffer.from(V1);
        for (const [at, value] of edits) damaged[at] = value;
        expectNoOtherError(() => [...readMessageSet(withCodec(damaged, 0))]);
      }),
      runs(500),
    );
    const longKey = Buffer.from(V1);
    longKey.writeInt32BE(100, 26);
    expect(String(thrown(() => [...readMessageSet(withCodec(longKey, 0))]))).toMatch(/does not fit/);
    const shortValue = Buffer.from(V1);
    shortValue.writeInt32BE(2, 32);
    expect(String(thrown(() => [...readMessageSet(withCodec(shortValue, 0))]))).toMatch(/bytes behind its value/);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODECS, codecName, compress, decompress } from '../../../../shared/records/compression.ts';
import type { CodecName } from '../../../../shared/records/compression.ts';
import { compressLz4, decompressLz4 } from '../../../../shared/records/lz4.ts';
import { loadedWhenNeeded } from '../../../../shared/records/native-codec.ts';
import { RecordsError } from '../../../../shared/records/errors.ts';
import { bytes, expectNoOtherError, thrown } from './support.ts';
import { runs } from '../../../support/property-runs.ts';

const names = (Object.keys(CODECS) as CodecName[]).filter(name => name !== 'none');

/** Hex in which `xx*n` stands for n times xx. */
function folded(text: string): Buffer {
  return bytes(text.replace(/([0-9a-f]+)\*(\d+)/g, (_, unit: string, times) => unit.repeat(Number(times))));
}

const SAMSA = Buffer.from('samsa '.repeat(12_000));

/** SAMSA as other programs compress it. */
const FOREIGN = {
  lz4: folded(`04224d18604082100100006f73616d7361200600 ff*256 e2502073616d73290000006f612073616d730600 ff*25
    3b50616d73612000000000`),
  lz4WithSizesAndChecksums: folded(`04224d187c40401901 00*5 b9100100006f73616d7361200600 ff*256 e2502073616d73e375d5d8
    290000006f612073616d730600 ff*25 3b50616d73612039b7dd600000000030b1d33e`),
  lz4InBlocksOf4MiB: folded(`04224d186450082a0100006f73616d7361200600 ff*282 3c50616d7361200000000030b1d33e`),
  zstdWithSizeAndChecksum: bytes('28b52ffda4401901007500003073616d73612001003719c94b115a8ac73a'),
  zstdStreamed: bytes('28b52ffd00587500003073616d73612001003719c94b11'),
  snappyJava: folded(`82534e415050590000000001000000010000060a8080021473616d736120 fe0600*511 e606000000060a808002146d
    7361207361 fe0600*511 e6060000000138c03214612073616d73 fe0600*100 e60600`),
};
const LZ4_DEPENDENT = folded(`04224d1844405e100100006f73616d7361200600 ff*256 e2502073616d73230000000ffc ff*26
  4150616d7361200000000030b1d33e`);

describe('the codec table', () => {
  it('has Kafka’s ids and names', () => {
    expect([0, 1, 2, 3, 4].map(codecName)).toEqual(['none', 'gzip', 'snappy', 'lz4', 'zstd']);
    expect(thrown(() => codecName(5))).toMatchObject({ kind: 'UNSUPPORTED_COMPRESSION' });
  });
});

it('tells of a codec whose package is gone, whenever it is needed', () => {
  const codec = loadedWhenNeeded('lz5', 'no-such-package');
  const told = /^The codec lz5 cannot be used here: its package no-such-package cannot be loaded\.$/;
  for (let round = 0; round < 2; round++)
    expect(codec).toThrow(
      expect.objectContaining({ kind: 'UNSUPPORTED_COMPRESSION', message: expect.stringMatching(told) as string }),
    );
});

describe('decompressing what others wrote', () => {
  it.each([
    ['lz4: the reference implementation', CODECS.lz4, FOREIGN.lz4],
    ['lz4: with content size, block and content checksums', CODECS.lz4, FOREIGN.lz4WithSizesAndChecksums],
    ['lz4: in 4 MiB blocks', CODECS.lz4, FOREIGN.lz4InBlocksOf4MiB],
    ['zstd: with size and checksum', CODECS.zstd, FOREIGN.zstdWithSizeAndChecksum],
    ['zstd: streamed, of unknown size', CODECS.zstd, FOREIGN.zstdStreamed],
    ['snappy: snappy-java', CODECS.snappy, FOREIGN.snappyJava],
  ])('%s', (_name, codec, stream) => {
    expect(decompress(codec, stream).equals(SAMSA)).toBe(true);
  });

  it('reads a raw snappy block, and streams one behind the other', () => {
    expect(decompress(CODECS.snappy, bytes('0a 24 01010101010101010101'))).toEqual(Buffer.alloc(10, 1));
    const doubled = decompress(CODECS.snappy, Buffer.concat([FOREIGN.snappyJava, FOREIGN.snappyJava]));
    expect(doubled.equals(Buffer.concat([SAMSA, SAMSA]))).toBe(true);
  });

  it('reads several gzip members and several zstd frames, skippable ones passed over', () => {
    const gzip = compress(CODECS.gzip, Buffer.from('ab'));
    expect(decompress(CODECS.gzip, Buffer.concat([gzip, gzip])).toString()).toBe('abab');
    const zstd = compress(CODECS.zstd, Buffer.from('ab'));
    const skippable = bytes('532a4d18 03000000 010203');
    expect(decompress(CODECS.zstd, Buffer.concat([zstd, skippable, zstd])).toString()).toBe('abab');
  });
});

describe('compressing', () => {
  it('writes lz4 frames of independent 64 KiB blocks with nothing optional, as Kafka does', () => {
    const frame = compressLz4(SAMSA);
    expect(frame.toString('hex', 0, 7)).toBe('04224d18604082');
    const blocks: number[] = [];
    for (let at = 7; frame.readUInt32LE(at) !== 0; at += 4 + frame.readUInt32LE(at)) blocks.push(at);
    expect(blocks).toHaveLength(2);
    expect(frame.subarray(-4)).toEqual(Buffer.alloc(4));
  });

  it('stores an lz4 block that would grow', () => {
    expect(compressLz4(bytes('22000000 046b31')).toString('hex')).toBe(
      '04224d18604082 07000080 22000000046b31 00000000'.replaceAll(' ', ''),
    );
  });

  it('writes the header checksum that magic 0 insists on, and demands the right one otherwise', () => {
    const broken = compressLz4(Buffer.from('samsa '.repeat(10)), true);
    expect(broken.toString('hex', 0, 7)).toBe('04224d18604 01a'.replaceAll(' ', ''));
    expect(decompressLz4(broken, 100, true).toString()).toBe('samsa '.repeat(10));
    expect(String(thrown(() => decompressLz4(broken, 100)))).toContain('header checksum');
  });

  it('writes snappy-java’s stream in 32 KiB blocks', () => {
    const stream = compress(CODECS.snappy, SAMSA);
    expect(stream.toString('hex', 0, 16)).toBe('82534e41505059000000000100000001');
    const blocks: number[] = [];
    for (let at = 16; at < stream.length; at += 4 + stream.readInt32BE(at)) blocks.push(stream.readUIntLE(at + 4, 3));
    const lengths = blocks.map(b => (b & 0x7f) | ((b >> 1) & 0x3f80) | ((b >> 2) & 0x1fc000 & -(b & 0x8000 ? 1 : 0)));
    expect(lengths).toEqual([32768, 32768, 6464]);
  });

  it('obeys the level of gzip and zstd', () => {
    const text = Buffer.from(Array.from({ length: 3000 }, (_, i) => `${i * 7919} ${i % 77}`).join('\n'));
    for (const [codec, low, high] of [
      [CODECS.gzip, 1, 9],
      [CODECS.zstd, 1, 19],
    ] as const) {
      expect(compress(codec, text, high).length).toBeLessThan(compress(codec, text, low).length);
      expect(decompress(codec, compress(codec, text, high)).equals(text)).toBe(true);
    }
  });

  it.each(names)('and decompressing are inverse: %s, sizes around the blocks’', name => {
    const codec = CODECS[name];
    for (const size of [0, 1, 15, 32767, 32768, 32769, 65535, 65536, 65537, 200_000]) {
      for (const data of [Buffer.alloc(size, 'abcdefg'), pseudoRandom(size)]) {
        expect(decompress(codec, compress(codec, data)).equals(data)).toBe(true);
        expect(decompress(codec, compress(codec, data), size).equals(data)).toBe(true);
      }
    }
  });
});

function pseudoRandom(size: number): Buffer {
  const data = Buffer.alloc(size);
  let state = 12345;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    data[i] = state >>> 16;
  }
  return data;
}

describe('bounds and damage', () => {
  const foreign = Object.entries(FOREIGN).map(([name, stream]) => [name, stream] as const);
  const codecOf = (name: string) => (name.startsWith('lz4') ? 3 : name.startsWith('zstd') ? 4 : 2);

  it.each(names)('%s: one byte more than the limit is TOO_LARGE', name => {
    const codec = CODECS[name];
    expect(thrown(() => decompress(codec, compress(codec, SAMSA), SAMSA.length - 1))).toMatchObject({
      name: 'RecordsError',
      kind: 'TOO_LARGE',
      message: `The ${name}-compressed records decompress to more than ${SAMSA.length - 1} bytes.`,
    });
    expect(thrown(() => decompress(codec, compress(codec, Buffer.from('a')), 0))).toMatchObject({ kind: 'TOO_LARGE' });
  });

  it.each(names)('%s: a bomb is stopped at the limit, not unpacked and then weighed', name => {
    // The end of the stream is damaged: whoever reads on to it says INVALID, whoever stops before it TOO_LARGE.
    const codec = CODECS[name];
    const text = Array.from({ length: 3000 }, (_, i) => `${i * 7919} ${i % 77}`).join('\n');
    const bomb = compress(codec, Buffer.concat([Buffer.alloc(16 << 20), Buffer.from(text)]));
    bomb.fill(0xff, bomb.length - 200, bomb.length - 4);
    expect(thrown(() => decompress(codec, bomb, 32 << 20))).toMatchObject({ kind: 'INVALID' });
    expect(thrown(() => decompress(codec, bomb, 1 << 20))).toMatchObject({ kind: 'TOO_LARGE' });
  });

  it('a snappy block that claims 4 GiB is refused before anything is allocated', () => {
    expect(thrown(() => decompress(CODECS.snappy, bytes('ffffffff0f 00')))).toMatchObject({ kind: 'TOO_LARGE' });
  });

  it.each(foreign)('%s: cut anywhere it is INVALID, never a shorter content', (name, stream) => {
    // After a whole block, a snappy stream that is cut is one that ends there: nothing in it says otherwise.
    for (let length = 0; length < stream.length; length++) {
      const cut = stream.subarray(0, length);
      const error = thrown(() => {
        const content = decompress(codecOf(name), cut);
        if (
          name === 'snappyJava' &&
          SAMSA.subarray(0, content.length).equals(content) &&
          content.length % 32768 === 0
        ) {
          throw new RecordsError('INVALID', 'ends between blocks');
        }
        // What is behind lz4's end mark is the content checksum, which nobody needs.
        if (name.startsWith('lz4') && stream.length - length <= 4)
          throw new RecordsError('INVALID', 'content checksum');
      });
      expect(error, `${length} bytes`).toMatchObject({ kind: 'INVALID' });
    }
  });

  it('gzip cut anywhere is INVALID', () => {
    const stream = compress(CODECS.gzip, SAMSA);
    for (let length = 0; length < stream.length; length++) {
      expect(thrown(() => decompress(CODECS.gzip, stream.subarray(0, length)))).toMatchObject({ kind: 'INVALID' });
    }
  });

  it.each([
    ['lz4 with dependent blocks', CODECS.lz4, LZ4_DEPENDENT, /blocks depend on each other/],
    ['lz4 of version 2', CODECS.lz4, bytes('04224d18 a0 40 00 00000000'), /version is not 1/],
    ['lz4 with a dictionary', CODECS.lz4, bytes('04224d18 61 40 00 00000000'), /dictionary/],
    ['lz4 with reserved bits', CODECS.lz4, bytes('04224d18 60 41 00 00000000'), /reserved bits/],
    ['lz4 with blocks of unknown size', CODECS.lz4, bytes('04224d18 60 30 00 00000000'), /block size is unknown/],
    ['lz4 with a wrong header checksum', CODECS.lz4, bytes('04224d18 60 40 83 00000000'), /header checksum/],
    [
      'lz4 with a block larger than declared',
      CODECS.lz4,
      bytes('04224d18 60 40 82 01000180'),
      /larger than the frame allows/,
    ],
    ['no lz4', CODECS.lz4, Buffer.from('whatever'), /frame magic is missing/],
    ['no gzip', CODECS.gzip, Buffer.from('whatever'), /malformed or cut off/],
    ['no zstd', CODECS.zstd, Buffer.from('whatever'), /frame magic is missing/],
    [
      'zstd in a thousand and one frames',
      CODECS.zstd,
      bytes('28b52ffd 20 00 010000'.repeat(1001)),
      /more than 1000 frames/,
    ],
    ['zstd with a reserved block', CODECS.zstd, bytes('28b52ffd 20 00 070000'), /reserved type/],
    ['no snappy', CODECS.snappy, bytes('ffffffffffffff'), /does not begin with its length/],
    [
      'snappy with a negative block length',
      CODECS.snappy,
      bytes('82534e415050590000000001000000 01 ffffffff'),
      /cut off/,
    ],
  ])('%s is refused with the reason', (_name, codec, stream, reason) => {
    const error = thrown(() => decompress(codec, stream));
    expect(error).toMatchObject({ name: 'RecordsError', kind: 'INVALID' });
    expect(String(error)).toMatch(reason);
  });

  it('random damage gives an error of this room or some content within the limit', () => {
    const limit = SAMSA.length + 100;
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...foreign), damage, ([name, stream], edits) => {
        const damaged = Buffer.from(stream);
        for (const [place, value] of edits) damaged[place % damaged.length] = value;
        expectNoOtherError(() => expect(decompress(codecOf(name), damaged, limit).length).toBeLessThanOrEqual(limit));
      }),
      runs(2000),
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c, portableCrc32c } from '../../../../shared/records/crc32c.ts';
import { runs } from '../../../support/property-runs.ts';

/** The definition, bit by bit. */
function reference(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe('CRC-32C', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 0],
    ['the check value of the catalogue', Buffer.from('123456789'), 0xe3069283],
    ['RFC 3720: 32 zeroes', Buffer.alloc(32), 0x8a9136aa],
    ['RFC 3720: 32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['RFC 3720: 0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ])('of %s', (_name, data, expected) => {
    expect(crc32c(data)).toBe(expected);
    expect(portableCrc32c(data)).toBe(expected);
  });

  it('is the same natively and portably, of any part of a buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(300), fc.nat(300), (data, skip, drop) => {
        const start = Math.min(skip, data.length);
        const end = Math.max(start, data.length - drop);
        const expected = reference(data.subarray(start, end));
        expect(crc32c(data, start, end)).toBe(expected);
        expect(portableCrc32c(data, start, end)).toBe(expected);
      }),
      runs(300),
    );
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { varintSize, varlongSize, writeVarint, writeVarlong } from '../../../../shared/records/varint.ts';

function varint(value: number): string {
  const target = Buffer.alloc(10);
  return target.toString('hex', 0, writeVarint(target, value, 0));
}

function varlong(value: number): string {
  const target = Buffer.alloc(10);
  return target.toString('hex', 0, writeVarlong(target, value, 0));
}

/** The definition, by BigInt. */
function reference(value: number): string {
  const n = BigInt(value);
  let rest = BigInt.asUintN(64, (n << 1n) ^ (n >> 63n));
  const out: number[] = [];
  for (; rest >= 0x80n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...out, Number(rest)]).toString('hex');
}

describe('variable-length integers', () => {
  it.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [-64, '7f'],
    [64, '8001'],
    [-65, '8101'],
    [300, 'd804'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ])('%d is %s', (value, hex) => {
    expect(varint(value)).toBe(hex);
    expect(varlong(value)).toBe(hex);
  });

  it('a timestamp of today takes six bytes', () => {
    expect(varlong(1700000000000)).toBe('80a0abfef962');
  });

  it('agree with the definition, in size too, for every int32 and every safe integer', () => {
    const powers = Array.from({ length: 53 }, (_, i) => 2 ** i).flatMap(p => [p - 1, p, p + 1, -p - 1, -p, -p + 1]);
    for (const value of powers.filter(Number.isSafeInteger)) expect(varlong(value), `${value}`).toBe(reference(value));
    fc.assert(
      fc.property(fc.integer(), value => {
        expect(varint(value)).toBe(reference(value));
        expect(varintSize(value)).toBe(reference(value).length / 2);
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeInteger(), value => {
        expect(varlong(value)).toBe(reference(value));
        expect(varlongSize(value)).toBe(reference(value).length / 2);
      }),
    );
  });
});

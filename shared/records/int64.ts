/**
 * Big-endian int64 as a `number`: offsets, timestamps and producer ids all fit ±(2^53−1). What lies beyond saturates,
 * so that an offset of 2^63−1 is simply out of range.
 */

const TWO_32 = 0x1_0000_0000;

/** Combines the two halves (`high` signed, `low` unsigned or signed) to a saturated number. */
export function int64FromHalves(high: number, low: number): number {
  const value = high * TWO_32 + (low >>> 0);
  if (value > Number.MAX_SAFE_INTEGER) return Number.MAX_SAFE_INTEGER;
  if (value < Number.MIN_SAFE_INTEGER) return Number.MIN_SAFE_INTEGER;
  return value;
}

/** The int64 at `at`. */
export function readInt64(buffer: Buffer, at: number): number {
  return int64FromHalves(buffer.readInt32BE(at), buffer.readInt32BE(at + 4));
}

/** Writes the safe integer `value` as an int64 at `at`. */
export function writeInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeInt32BE(Math.floor(value / TWO_32), at);
  buffer.writeUInt32BE(value >>> 0, at + 4);
}

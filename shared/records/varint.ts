/**
 * Variable-length integers of record fields: zig-zag ((n << 1) ^ (n >> 31 or 63)), then groups of seven bits, least
 * significant first, the high bit saying that more follow (Kafka's `ByteUtils`, Protocol Buffers' sint32 and sint64).
 */

const TWO_32 = 0x1_0000_0000;

/** The encoded size of the int32 `value`: 1 to 5 bytes. */
export function varintSize(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes the int32 `value` at `at` and returns the position behind it. */
export function writeVarint(target: Uint8Array, value: number, at: number): number {
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  while (rest >= 0x80) {
    target[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[at++] = rest;
  return at;
}

/** The encoded size of the safe integer `value`: 1 to 8 bytes. */
export function varlongSize(value: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return varintSize(value);
  const magnitude = value < 0 ? -(value + 1) : value;
  let size = 5;
  for (let limit = 2 ** 34; magnitude >= limit; limit *= 128) size++;
  return size;
}

/** Writes the safe integer `value` as a varlong at `at` and returns the position behind it. */
export function writeVarlong(target: Uint8Array, value: number, at: number): number {
  if (value >= -0x4000_0000 && value < 0x4000_0000) return writeVarint(target, value, at);
  // As two halves, because the doubled value may lie beyond 2^53.
  const sign = value < 0 ? -1 : 0;
  const lowHalf = value >>> 0;
  const highHalf = Math.floor(value / TWO_32) | 0;
  let low = ((lowHalf << 1) ^ sign) >>> 0;
  let high = (((highHalf << 1) | (lowHalf >>> 31)) ^ sign) >>> 0;
  while (high !== 0 || low >= 0x80) {
    target[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  target[at++] = low;
  return at;
}

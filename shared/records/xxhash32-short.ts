/** xxHash32 with seed 0 for inputs below 16 bytes: all that the header checksum of an LZ4 frame needs. */

const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The hash of `bytes[start, end)`, at most 15 bytes, as a 32-bit number. */
export function xxHash32Short(bytes: Buffer, start: number, end: number): number {
  let hash = PRIME_5 + (end - start);
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(rotateLeft((hash + Math.imul(bytes.readUInt32LE(at), PRIME_3)) | 0, 17), PRIME_4);
  }
  for (; at < end; at++) hash = Math.imul(rotateLeft((hash + Math.imul(bytes[at]!, PRIME_5)) | 0, 11), PRIME_1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

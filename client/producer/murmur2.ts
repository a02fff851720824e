const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;
const R = 24;

/** 32-bit murmur2 of the bytes, as a signed int32: the hash by which Kafka's clients spread keys. */
export function murmur2(data: Buffer): number {
  const length = data.length;
  let h = SEED ^ length;
  const words = length >>> 2;
  for (let i = 0; i < words; i++) {
    let k = Math.imul(data.readInt32LE(i * 4), M);
    k ^= k >>> R;
    h = Math.imul(h, M) ^ Math.imul(k, M);
  }
  const rest = words * 4;
  const left = length & 3;
  if (left >= 3) h ^= data[rest + 2]! << 16;
  if (left >= 2) h ^= data[rest + 1]! << 8;
  if (left >= 1) h = Math.imul(h ^ data[rest]!, M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

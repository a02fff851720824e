import type { Random } from '../../shared/runtime/random.ts';

/** A reproducible source of chance (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed | 0;
  const float = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    float,
    int: bound => Math.floor(float() * bound),
    bytes: length => Buffer.from(Array.from({ length }, () => Math.floor(float() * 256))),
  };
}

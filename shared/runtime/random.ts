import { randomBytes, randomInt } from 'node:crypto';

/** Chance as a seam: domain rooms draw from what they are handed, so that one seed replays a whole simulation. */
export interface Random {
  /** A uniform integer in [0, bound), bound in 1..2^48. */
  int(bound: number): number;
  /** A uniform float in [0, 1). */
  float(): number;
  /** `length` random bytes. */
  bytes(length: number): Buffer;
}

export const systemRandom: Random = {
  int: bound => randomInt(bound),
  float: () => Math.random(),
  bytes: length => randomBytes(length),
};

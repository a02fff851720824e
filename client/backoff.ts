import type { Random } from '../shared/runtime/random.ts';

/**
 * The pause before attempt `attempt` (1 = first retry): doubled each time up to `maxMs`, with ±20 % of jitter, so that
 * clients cut off together do not come back together (KIP-580).
 */
export function backoffMs(attempt: number, initialMs: number, maxMs: number, random: Random): number {
  const exponential = Math.min(initialMs * 2 ** (attempt - 1), Math.max(initialMs, maxMs));
  return exponential * (0.8 + 0.4 * random.float());
}

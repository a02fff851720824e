import type { LoadResult } from './load.ts';
import { median } from './statistics.ts';

/** One of those that are compared. `warmUpMs` is the time before the load counts. */
export type Contestant = (warmUpMs: number) => Promise<LoadResult>;

/** Before a contestant's first turn: its code has to be compiled and its files to be opened. */
const FIRST_WARM_UP_MS = 8_000;
const WARM_UP_MS = 200;

/**
 * Measures the contestants in short turns, one after the other, again and again: what else the machine does then falls
 * on all of them alike. The results of each round, in the order of the contestants.
 */
export async function inTurns(contestants: readonly Contestant[], rounds: number): Promise<LoadResult[][]> {
  const results: LoadResult[][] = [];
  for (let round = 0; round < rounds; round++) {
    const ofRound: LoadResult[] = [];
    for (const contestant of contestants) ofRound.push(await contestant(round === 0 ? FIRST_WARM_UP_MS : WARM_UP_MS));
    results.push(ofRound);
  }
  return results;
}

/** The middle value of contestant `index`. */
export function valueOf(rounds: readonly LoadResult[][], index: number, number: keyof LoadResult): number {
  return median(rounds.map(results => results[index]![number]));
}

/** The middle one of the rounds' ratios of contestant `index` to contestant `reference`. */
export function ratioOf(
  rounds: readonly LoadResult[][],
  index: number,
  reference: number,
  number: keyof LoadResult,
): number {
  return median(rounds.map(results => results[index]![number] / results[reference]![number]));
}

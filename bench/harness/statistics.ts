/** The middle one; of an even count the mean of the two. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The value that `share` (0 to 1) of all values do not exceed. NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

/** The values that the middle half lies between. */
export function quartiles(values: readonly number[]): { readonly lower: number; readonly upper: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (position: number) => {
    const below = sorted[Math.floor(position)]!;
    return below + (sorted[Math.ceil(position)]! - below) * (position % 1);
  };
  return { lower: at((sorted.length - 1) / 4), upper: at(((sorted.length - 1) * 3) / 4) };
}

/** What a number must be. */
export interface Target {
  readonly limit: number;
  /** Whether the limit is the least (`min`) or the most (`max`) that is fine. */
  readonly is: 'min' | 'max';
  /** Whether the limit is for the value itself or for its ratio to the reference. */
  readonly of: 'value' | 'ratio';
}

/** One measured number. */
export interface Row {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, measured in the same run in turns with it. */
  readonly reference?: { readonly what: string; readonly value: number };
  /** The middle one of the ratios value / reference of the rounds. */
  readonly ratio?: number;
  readonly target?: Target;
}

/** Whether the row is as it should be; null without a target. */
export function meetsTarget({ value, ratio, target }: Row): boolean | null {
  if (target === undefined) return null;
  const number = target.of === 'value' ? value : ratio!;
  return target.is === 'min' ? number >= target.limit : number <= target.limit;
}

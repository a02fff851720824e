import { short } from '../harness/report.ts';
import { median, quartiles } from '../harness/statistics.ts';
import type { Name } from './side.ts';

/** A number of both sides, measured in pairs. */
export type Pairs = readonly Readonly<Record<Name, number>>[];

/** What a ratio Samsa / Kafka must be. */
export interface Target {
  readonly limit: number;
  readonly is: 'min' | 'max';
  /** Whether it is enough that the middle half of the pairs reaches the limit. */
  readonly withinSpread?: boolean;
}

export const TARGETS = {
  cpu: { limit: 1, is: 'max' },
  throughput: { limit: 1, is: 'min', withinSpread: true },
  time: { limit: 1, is: 'max', withinSpread: true },
  p99: { limit: 1, is: 'max' },
  memory: { limit: 0.3, is: 'max' },
  startUp: { limit: 0.3, is: 'max' },
} as const satisfies Record<string, Target>;

/** The middle one of the pairs' ratios, and what the middle half of them lies between. */
export interface Ratio {
  readonly middle: number;
  readonly lower: number;
  readonly upper: number;
}

export function ratioOf(pairs: Pairs): Ratio {
  const ratios = pairs.map(({ Samsa, Kafka }) => Samsa / Kafka);
  return { middle: median(ratios), ...quartiles(ratios) };
}

export function isMet({ middle, lower, upper }: Ratio, { limit, is, withinSpread = false }: Target): boolean {
  if (is === 'min') return (withinSpread ? upper : middle) >= limit;
  return (withinSpread ? lower : middle) <= limit;
}

/** `Samsa / Kafka`, the middle ones of their numbers. */
export function valuesCell(pairs: Pairs): string {
  return `${short(median(pairs.map(pair => pair.Samsa)))} / ${short(median(pairs.map(pair => pair.Kafka)))}`;
}

/** `0.42 (0.40–0.45)`, in bold letters if that misses the target. */
export function ratioCell(pairs: Pairs, target?: Target): string {
  const ratio = ratioOf(pairs);
  const text = `${ratio.middle.toFixed(2)} (${ratio.lower.toFixed(2)}–${ratio.upper.toFixed(2)})`;
  return target === undefined || isMet(ratio, target) ? text : `**${text} missed**`;
}

import type { OffsetSpec } from '../../client/index.ts';
import { ToolFailure } from '../support/tool.ts';

const NAMES: Readonly<Record<string, OffsetSpec>> = {
  '-1': 'latest',
  latest: 'latest',
  '-2': 'earliest',
  earliest: 'earliest',
  '-3': 'max-timestamp',
  'max-timestamp': 'max-timestamp',
  // Nothing is tiered: what is local is all there is.
  '-4': 'earliest',
  'earliest-local': 'earliest',
};

/** Parses `--time`; null stands for `latest-tiered`, of which there is none. @throws ToolFailure in Kafka's words */
export function offsetSpec(time: string): OffsetSpec | null {
  if (time === '-5' || time === 'latest-tiered') return null;
  const named = Object.hasOwn(NAMES, time) ? NAMES[time] : undefined;
  if (named !== undefined) return named;
  if (/^\d+$/.test(time) && Number.isSafeInteger(Number(time))) return Number(time);
  throw new ToolFailure(
    `Error occurred: Malformed time argument ${time}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered, or a specified long format timestamp`,
  );
}

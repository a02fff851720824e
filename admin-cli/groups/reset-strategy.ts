import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { UsageError } from '../support/tool.ts';
import { parseDateTime, parseDuration } from './iso8601.ts';
import type { GroupsOptions } from './options.ts';

/** Where a reset takes partitions. */
export type ResetStrategy =
  | { readonly to: 'earliest' | 'latest' | 'current' }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'shift'; readonly by: number }
  | { readonly to: 'time'; readonly timestampMs: number }
  | { readonly to: 'plan'; readonly file: string };

/** What a reset has to know of each partition. */
export type Fact = 'start' | 'end' | 'committed' | 'atTime';

/** Offsets by the keys of `partitionKey`; where there is none, one is missing. */
export type Facts = Readonly<Record<Fact, ReadonlyMap<string, number>>>;

/** What each strategy looks up. */
export const NEEDS: Readonly<Record<ResetStrategy['to'], readonly Fact[]>> = {
  earliest: ['start'],
  latest: ['end'],
  current: ['committed', 'end'],
  offset: ['start', 'end'],
  shift: ['committed', 'start', 'end'],
  time: ['atTime', 'end'],
  plan: ['start', 'end'],
};

/** The options that say where to; one of them is given. */
export type ScenarioOptions = Pick<
  GroupsOptions,
  'toEarliest' | 'toLatest' | 'toCurrent' | 'toOffset' | 'shiftBy' | 'toDatetime' | 'byDuration' | 'fromFile'
>;

/** What the options say. @param nowMs the time, since 1970 @throws UsageError for a time that is none */
export function strategyOf(options: ScenarioOptions, nowMs: number): ResetStrategy {
  if (options.toEarliest) return { to: 'earliest' };
  if (options.toLatest) return { to: 'latest' };
  if (options.toCurrent) return { to: 'current' };
  if (options.toOffset !== undefined) return { to: 'offset', offset: options.toOffset };
  if (options.shiftBy !== undefined) return { to: 'shift', by: options.shiftBy };
  if (options.fromFile !== undefined) return { to: 'plan', file: options.fromFile };
  try {
    const { toDatetime, byDuration } = options;
    const timestampMs = toDatetime === undefined ? nowMs - parseDuration(byDuration!) : parseDateTime(toDatetime);
    return { to: 'time', timestampMs };
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** A new offset, and what is to be said about it on the way. */
export interface ResetOffset extends TopicPartition {
  readonly offset: number;
  readonly warning: string | null;
}

/**
 * Where a partition goes.
 * @param planned its offset in the file, with a plan
 * @throws UsageError when there is no such offset
 */
export function resetOffset(
  strategy: ResetStrategy,
  tp: TopicPartition,
  facts: Facts,
  planned: number | null = null,
): ResetOffset {
  const name = partitionKey(tp.topic, tp.partition);
  const committed = facts.committed.get(name);
  switch (strategy.to) {
    case 'earliest':
      return { ...tp, offset: known(facts.start, name, 'starting'), warning: null };
    case 'latest':
      return { ...tp, offset: known(facts.end, name, 'ending'), warning: null };
    case 'current':
      return { ...tp, offset: committed ?? known(facts.end, name, 'ending'), warning: null };
    case 'time':
      return atTime(tp, facts, name);
    case 'shift':
      if (committed === undefined)
        throw new UsageError(`Cannot shift offset for partition ${name} since there is no current committed offset`);
      return withinLog(tp, committed + strategy.by, facts, name);
    case 'offset':
      return withinLog(tp, strategy.offset, facts, name);
    case 'plan':
      return withinLog(tp, planned!, facts, name);
  }
}

/** After the last record there is none so young: the end, where the next one will be. */
function atTime(tp: TopicPartition, facts: Facts, name: string): ResetOffset {
  const found = facts.atTime.get(name);
  if (found !== undefined) return { ...tp, offset: found, warning: null };
  const warning = `\nWarn: Partition ${tp.partition} from topic ${tp.topic} is empty. Falling back to latest known offset.`;
  return { ...tp, offset: known(facts.end, name, 'ending'), warning };
}

/** An offset outside the log becomes the end of the log that is next to it. */
function withinLog(tp: TopicPartition, offset: number, facts: Facts, name: string): ResetOffset {
  const start = known(facts.start, name, 'starting');
  const end = known(facts.end, name, 'ending');
  if (offset >= start && offset <= end) return { ...tp, offset, warning: null };
  const [relation, limit] = offset > end ? ['higher than latest', end] : ['lower than earliest', start];
  const warning = `New offset (${offset}) is ${relation} offset for topic partition ${name}. Value will be set to ${limit}`;
  return { ...tp, offset: limit, warning };
}

function known(offsets: ReadonlyMap<string, number>, name: string, which: string): number {
  const offset = offsets.get(name);
  if (offset === undefined) throw new UsageError(`Error getting ${which} offset of topic partition: ${name}`);
  return offset;
}

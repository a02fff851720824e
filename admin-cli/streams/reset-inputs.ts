import type { Admin } from '../../client/index.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { inOrder } from '../groups/describe.ts';
import { lookUp, readPlan, setOffsets } from '../groups/reset.ts';
import { resetOffset, strategyOf, type ResetOffset, type ResetStrategy } from '../groups/reset-strategy.ts';
import { valuesOf } from '../groups/selection.ts';
import { topicsOf, type StreamsResetOptions } from './options.ts';

/** Where the topics of each kind are, as far as they exist. */
interface Found {
  readonly input: readonly string[];
  readonly intermediate: readonly string[];
}

/**
 * Sets the offsets of an application's input topics, and takes it to the end of intermediate ones.
 * @param all the names of all topics
 * @returns whether all topics that were named exist
 */
export async function resetInputs(
  admin: Admin,
  options: StreamsResetOptions,
  all: readonly string[],
): Promise<boolean> {
  const named = { input: topicsOf(options.inputTopics), intermediate: topicsOf(options.intermediateTopics) };
  if (named.input.length + named.intermediate.length === 0) {
    print('No input or intermediate topics specified. Skipping seek.');
    return true;
  }
  if (named.input.length > 0) print(`Reset-offsets for input topics [${named.input.join(', ')}]`);
  if (named.intermediate.length > 0) print(`Seek-to-end for intermediate topics [${named.intermediate.join(', ')}]`);
  const found = {
    input: existing('input', named.input, all),
    intermediate: existing('intermediate', named.intermediate, all),
  };
  const isComplete = found.input.length + found.intermediate.length === named.input.length + named.intermediate.length;
  if (found.input.length + found.intermediate.length === 0) return isComplete;
  const offsets = [...(await inputOffsets(admin, options, found)), ...(await ends(admin, options, found))];
  if (!options.dryRun) await setOffsets(admin, options.applicationId!, offsets);
  print('Done.');
  return isComplete;
}

function existing(kind: string, named: readonly string[], all: readonly string[]): string[] {
  const missing = named.filter(topic => !all.includes(topic));
  if (missing.length > 0) print(`Following ${kind} topics are not found, skipping them`);
  for (const topic of missing) print(`Topic: ${topic}`);
  return named.filter(topic => all.includes(topic));
}

async function inputOffsets(admin: Admin, options: StreamsResetOptions, { input }: Found): Promise<ResetOffset[]> {
  if (input.length === 0) return [];
  const groupId = options.applicationId!;
  print(`Following input topics offsets will be reset to (for consumer group ${groupId})`);
  const strategy = strategyFor(options);
  const committed = valuesOf(await admin.listGroupOffsets([{ groupId, partitions: null }]))[0]!;
  const planned = strategy.to === 'plan' ? (readPlan(strategy.file, [groupId]).get(groupId) ?? []) : null;
  const targets = new Map(planned?.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  const partitions = (await partitionsOf(admin, input)).filter(
    ({ topic, partition }) => planned === null || targets.has(partitionKey(topic, partition)),
  );
  const facts = await lookUp(admin, strategy, partitions, committed);
  const offsets = partitions.map(tp =>
    resetOffset(strategy, tp, facts, targets.get(partitionKey(tp.topic, tp.partition)) ?? null),
  );
  for (const { warning } of offsets) if (warning !== null) print(warning.trim());
  for (const { topic, partition, offset } of offsets)
    print(`Topic: ${topic} Partition: ${partition} Offset: ${offset}`);
  return offsets;
}

/** Without any scenario: from the beginning. */
function strategyFor(options: StreamsResetOptions): ResetStrategy {
  const { toOffset, toDatetime, byDuration, toLatest, fromFile, shiftBy } = options;
  const isSaid = [toOffset, toDatetime, byDuration, toLatest, fromFile, shiftBy].some(value => value !== undefined);
  return isSaid ? strategyOf(options, Date.now()) : { to: 'earliest' };
}

async function ends(admin: Admin, options: StreamsResetOptions, { intermediate }: Found): Promise<ResetOffset[]> {
  if (intermediate.length === 0) return [];
  print(`Following intermediate topics offsets will be reset to end (for consumer group ${options.applicationId!})`);
  for (const topic of intermediate) print(`Topic: ${topic}`);
  const partitions = await partitionsOf(admin, intermediate);
  const facts = await lookUp(admin, { to: 'latest' }, partitions, []);
  return partitions.map(tp => resetOffset({ to: 'latest' }, tp, facts));
}

async function partitionsOf(admin: Admin, topics: readonly string[]): Promise<TopicPartition[]> {
  const infos = await Promise.all(topics.map(topic => admin.describeTopic(topic)));
  return inOrder(infos.flatMap(({ partitions }) => partitions.map(({ topic, partition }) => ({ topic, partition }))));
}

export function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

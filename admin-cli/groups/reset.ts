import { readFileSync } from 'node:fs';
import type { Admin, GroupDescription } from '../../client/index.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { resetTable, type NewOffset } from '../format/group-tables.ts';
import { inOrder } from './describe.ts';
import { logOffsets } from './log-offsets.ts';
import type { GroupsOptions } from './options.ts';
import { formatPlan, parsePlan, type ResetPlan } from './reset-csv.ts';
import { NEEDS, resetOffset, strategyOf, type Fact, type Facts, type ResetStrategy } from './reset-strategy.ts';
import { describedGroups, selectedGroups, valuesOf } from './selection.ts';
import { parseTopicArgument, type TopicArgument } from './topic-arguments.ts';

/** What a reset is to do, as far as the options say it. */
interface Reset {
  readonly strategy: ResetStrategy;
  /** Null: all where the group has an offset, or those of the plan. */
  readonly topics: readonly TopicArgument[] | null;
  readonly plan: ResetPlan | null;
  readonly isToBeDone: boolean;
}

export async function resetGroups(admin: Admin, options: GroupsOptions): Promise<void> {
  if (!options.dryRun && !options.execute)
    process.stderr.write('WARN: No action will be performed as the --execute option is missing.\n');
  const reset = resetOf(options);
  const rows: NewOffset[] = [];
  for (const group of await describedGroups(admin, await selectedGroups(admin, options))) {
    rows.push(...(await resetGroup(admin, group, reset)));
  }
  const isOne = options.group?.length === 1;
  process.stdout.write(options.export ? `${formatPlan(rows, !isOne)}\n` : resetTable(rows));
}

function resetOf(options: GroupsOptions): Reset {
  const strategy = strategyOf(options, Date.now());
  const topics = options.allTopics === true ? null : (options.topic?.map(parseTopicArgument) ?? null);
  const plan = strategy.to === 'plan' ? readPlan(strategy.file, options.group ?? []) : null;
  return { strategy, topics, plan, isToBeDone: options.execute === true };
}

/** Reads the offsets of a file. @throws Error naming the file and what is wrong with it */
export function readPlan(file: string, groups: readonly string[]): ResetPlan {
  try {
    return parsePlan(readFileSync(file, 'utf8'), groups.length === 1 ? groups[0]! : null);
  } catch (error) {
    throw new Error(`Cannot use ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** A group without members is moved by setting its offsets; members would not notice, and commit over them. */
async function resetGroup(admin: Admin, { groupId, state }: GroupDescription, reset: Reset): Promise<NewOffset[]> {
  if (state !== 'Empty' && state !== 'Dead') {
    printError(
      `Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${state}.`,
    );
    return [];
  }
  if (reset.plan !== null && !reset.plan.has(groupId)) {
    printError(`No reset plan for group ${groupId} found`);
    return [];
  }
  const committed = valuesOf(await admin.listGroupOffsets([{ groupId, partitions: null }]))[0]!;
  const partitions = inOrder(await partitionsOf(admin, groupId, reset, committed));
  const facts = await lookUp(admin, reset.strategy, partitions, committed);
  const planned = new Map(reset.plan?.get(groupId)?.map(to => [partitionKey(to.topic, to.partition), to.offset]));
  const offsets = partitions.map(tp =>
    resetOffset(reset.strategy, tp, facts, planned.get(partitionKey(tp.topic, tp.partition)) ?? null),
  );
  for (const { warning } of offsets) if (warning !== null) complain(warning);
  if (reset.isToBeDone) await setOffsets(admin, groupId, offsets);
  return offsets.map(({ topic, partition, offset }) => ({ group: groupId, topic, partition, offset }));
}

/** What concerns a partition's data is the tool's output; what concerns the user's wish goes beside it. */
function complain(warning: string): void {
  (warning.startsWith('\n') ? process.stdout : process.stderr).write(`${warning}\n`);
}

function printError(message: string): void {
  process.stdout.write(`\nError: ${message}\n`);
}

async function partitionsOf(
  admin: Admin,
  groupId: string,
  { plan, topics }: Reset,
  committed: readonly TopicPartition[],
): Promise<TopicPartition[]> {
  if (plan !== null) return plan.get(groupId)!.map(({ topic, partition }) => ({ topic, partition }));
  if (topics === null) return committed.map(({ topic, partition }) => ({ topic, partition }));
  const all = await Promise.all(
    topics.map(async ({ topic, partitions }) =>
      (partitions ?? (await admin.describeTopic(topic)).partitions.map(({ partition }) => partition)).map(
        partition => ({
          topic,
          partition,
        }),
      ),
    ),
  );
  return [...new Map(all.flat().map(tp => [partitionKey(tp.topic, tp.partition), tp])).values()];
}

/** Looks up what a strategy needs to know of the partitions. */
export async function lookUp(
  admin: Admin,
  strategy: ResetStrategy,
  partitions: readonly TopicPartition[],
  committed: readonly (TopicPartition & { readonly offset: number })[],
): Promise<Facts> {
  const needs = (fact: Fact) => NEEDS[strategy.to].includes(fact);
  const none = Promise.resolve(new Map<string, number>());
  const [start, end, atTime] = await Promise.all([
    needs('start') ? logOffsets(admin, partitions, 'earliest') : none,
    needs('end') ? logOffsets(admin, partitions, 'latest') : none,
    strategy.to === 'time' ? logOffsets(admin, partitions, strategy.timestampMs) : none,
  ]);
  const where = new Map(committed.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  return { start, end, atTime, committed: where };
}

/** @throws KafkaError the first of a partition */
export async function setOffsets(
  admin: Admin,
  groupId: string,
  offsets: readonly (TopicPartition & { readonly offset: number })[],
): Promise<void> {
  if (offsets.length === 0) return;
  const outcomes = await admin.alterGroupOffsets(
    groupId,
    offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset })),
  );
  const failed = outcomes.find(error => error !== null);
  if (failed !== undefined) throw failed;
}

import type { Admin, GroupDescription, GroupMember, GroupOffset } from '../../client/index.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { listTable, membersTable, offsetsTable, stateTable, type OffsetRow } from '../format/group-tables.ts';
import { logOffsets } from './log-offsets.ts';
import { statesOf, typesOf, type GroupsOptions } from './options.ts';
import { describedGroups, isOfConsumers, selectedGroups, valuesOf } from './selection.ts';

export async function listGroups(admin: Admin, options: GroupsOptions): Promise<void> {
  const filter = { states: statesOf(options), types: typesOf(options) };
  const groups = (await admin.listGroups(filter)).filter(isOfConsumers);
  const { type, state } = options;
  const isTable = type !== undefined || state !== undefined;
  process.stdout.write(
    isTable
      ? listTable(groups, type !== undefined, state !== undefined)
      : groups.map(({ groupId }) => `${groupId}\n`).join(''),
  );
}

export async function describeGroups(admin: Admin, options: GroupsOptions): Promise<void> {
  const groups = await describedGroups(admin, await selectedGroups(admin, options));
  if (options.members) {
    showEach(groups, ({ groupId, members }) => membersTable(groupId, members, options.verbose === true));
  } else if (options.state) {
    showEach(groups, stateTable);
  } else {
    const rows = await offsetRows(admin, groups);
    showEach(groups, ({ groupId }, index) => offsetsTable(groupId, rows[index]!));
  }
}

function showEach(
  groups: readonly GroupDescription[],
  table: (group: GroupDescription, index: number) => string,
): void {
  groups.forEach((group, index) => {
    remark(group);
    if (group.state !== 'Dead') process.stdout.write(table(group, index));
  });
}

/** States that say something about what follows, in Kafka's words. */
function remark({ groupId, state }: GroupDescription): void {
  const name = `onsumer group '${groupId}'`;
  if (state === 'Dead') process.stdout.write(`\nError: C${name} does not exist.\n`);
  else if (state === 'Empty') process.stderr.write(`\nC${name} has no active members.\n`);
  else if (state !== 'Stable') process.stderr.write(`\nWarning: C${name} is rebalancing.\n`);
}

/** The partitions of each group, in the order of the groups: those that members have, then others with an offset. */
async function offsetRows(admin: Admin, groups: readonly GroupDescription[]): Promise<OffsetRow[][]> {
  const questions = groups.map(({ groupId }) => ({ groupId, partitions: null }));
  const offsets = valuesOf(await admin.listGroupOffsets(questions));
  const held = groups.flatMap(({ members }) => members.flatMap(({ assignment }) => assignment));
  const ends = await logOffsets(admin, [...held, ...offsets.flat()], 'latest');
  return groups.map((group, index) => rowsOf(group, offsets[index]!, ends));
}

/** Members with many partitions come first. */
export function rowsOf(
  { members }: Pick<GroupDescription, 'members'>,
  committed: readonly GroupOffset[],
  ends: ReadonlyMap<string, number>,
): OffsetRow[] {
  const offsets = new Map(committed.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
  const row = ({ topic, partition }: TopicPartition, member: GroupMember | null): OffsetRow => {
    const key = partitionKey(topic, partition);
    return { topic, partition, offset: offsets.get(key) ?? null, logEnd: ends.get(key) ?? null, member };
  };
  const bySize = [...members].sort((a, b) => b.assignment.length - a.assignment.length);
  const held = bySize.flatMap(member => inOrder(member.assignment).map(tp => row(tp, member)));
  const taken = new Set(held.map(({ topic, partition }) => partitionKey(topic, partition)));
  const free = committed.filter(({ topic, partition }) => !taken.has(partitionKey(topic, partition)));
  return [...held, ...inOrder(free).map(tp => row(tp, null))];
}

export function inOrder<T extends TopicPartition>(partitions: readonly T[]): T[] {
  return [...partitions].sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

import type { GroupDescription, GroupListing, GroupMember } from '../../client/index.ts';
import { byTopic, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { columns, widthOf } from './columns.ts';

/*
 * The tables of kafka-consumer-groups, which scripts cut into columns: widths and empty lines are Kafka's
 * (`ConsumerGroupCommand`). A row begins with the end of the line before it.
 */

const UNKNOWN = '-';
const LEAST = 15;

/** A partition of a group, with whoever reads it. Null is what nobody knows. */
export interface OffsetRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number | null;
  readonly logEnd: number | null;
  readonly member: GroupMember | null;
}

export function offsetsTable(group: string, rows: readonly OffsetRow[]): string {
  const member = (pick: (member: GroupMember) => string) =>
    rows.map(row => (row.member === null ? UNKNOWN : pick(row.member)));
  const ids = member(({ memberId }) => memberId);
  const hosts = member(({ host }) => host);
  const clients = member(({ clientId }) => clientId);
  const topics = rows.map(({ topic }) => topic);
  const widths = [widthOf(LEAST, [group]), widthOf(LEAST, topics), 10, 15, 15, 15, widthOf(LEAST, ids)];
  const line = (...cells: (string | number)[]) => `\n${columns([...widths, widthOf(LEAST, hosts), 0], cells)}`;
  return [
    line(
      ...['GROUP', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG'],
      ...['CONSUMER-ID', 'HOST', 'CLIENT-ID'],
    ),
    ...rows.map(({ topic, partition, offset, logEnd }, index) => {
      const lag = offset === null || logEnd === null ? UNKNOWN : logEnd - offset;
      const numbers = [offset ?? UNKNOWN, logEnd ?? UNKNOWN, lag];
      return line(group, topic, partition, ...numbers, ids[index]!, hosts[index]!, clients[index]!);
    }),
    '\n',
  ].join('');
}

/** @param isVerbose adds what each member is assigned */
export function membersTable(group: string, members: readonly GroupMember[], isVerbose: boolean): string {
  const hasStatic = members.some(({ instanceId }) => instanceId !== null);
  const instance = (text: string | null) => (hasStatic ? [text ?? ''] : []);
  const widths = [
    widthOf(LEAST, [group]),
    widthOf(
      LEAST,
      members.map(({ memberId }) => memberId),
    ),
    ...(hasStatic
      ? [
          widthOf(
            17,
            members.map(({ instanceId }) => instanceId ?? ''),
          ),
        ]
      : []),
    widthOf(
      LEAST,
      members.map(({ host }) => host),
    ),
    widthOf(
      LEAST,
      members.map(({ clientId }) => clientId),
    ),
    15,
  ];
  const line = (last: string, ...cells: (string | number)[]) => `${columns(widths, cells)} ${isVerbose ? last : ''}\n`;
  return [
    '\n',
    line(
      'ASSIGNMENT',
      ...['GROUP', 'CONSUMER-ID', ...instance('GROUP-INSTANCE-ID'), 'HOST', 'CLIENT-ID', '#PARTITIONS'],
    ),
    ...members.map(({ memberId, instanceId, host, clientId, assignment }) =>
      line(
        assignmentText(assignment),
        ...[group, memberId, ...instance(instanceId), host, clientId, assignment.length],
      ),
    ),
  ].join('');
}

/** `orders(0,1), returns(2)`; empty: `-`. */
export function assignmentText(assignment: readonly TopicPartition[]): string {
  if (assignment.length === 0) return UNKNOWN;
  const topics = Array.from(byTopic(assignment), ([topic, partitions]) => {
    const numbers = partitions.map(({ partition }) => partition).sort((a, b) => a - b);
    return `${topic}(${numbers.join(',')})`;
  });
  return topics.sort().join(', ');
}

export function stateTable({ groupId, coordinator, protocol, state, members }: GroupDescription): string {
  const { id, host, port } = coordinator;
  const address = `${host}:${port}  (${id})`;
  const line = (...cells: (string | number)[]) => `\n${columns([widthOf(25, [address]), 25, 20, 15, 0], cells)}`;
  return [
    line('GROUP', 'COORDINATOR (ID)', 'ASSIGNMENT-STRATEGY', 'STATE', '#MEMBERS'),
    line(groupId, address, protocol, state, members.length),
    '\n',
  ].join('');
}

/** What --list shows when it is asked for types, states or both. */
export function listTable(groups: readonly GroupListing[], withType: boolean, withState: boolean): string {
  const names = groups.map(({ groupId }) => groupId);
  const widths = [widthOf(LEAST, names) + 10, ...(withType ? [20] : []), ...(withState ? [20] : [])];
  const line = (group: string, type: string, state: string) =>
    `${columns(widths, [group, ...(withType ? [type] : []), ...(withState ? [state] : [])])}\n`;
  const rows = groups.map(({ groupId, type, state }) => line(groupId, named(type), state));
  return [line('GROUP', 'TYPE', 'STATE'), ...rows].join('');
}

/** Types come in small letters, and are shown with a capital: Classic. */
function named(type: string): string {
  return type === '' ? 'Unknown' : type[0]!.toUpperCase() + type.slice(1).toLowerCase();
}

/** Where a reset takes a group, or would. */
export interface NewOffset extends TopicPartition {
  readonly group: string;
  readonly offset: number;
}

export function resetTable(rows: readonly NewOffset[]): string {
  const line = (...cells: (string | number)[]) => `${columns([30, 30, 10, 15], cells)}\n`;
  const header = `\n${line('GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET')}`;
  return header + rows.map(({ group, topic, partition, offset }) => line(group, topic, partition, offset)).join('');
}

/** What became of a partition whose offset was to be deleted. */
export interface DeletedOffset {
  readonly topic: string;
  /** Null for a topic that nobody knows, and whose partitions were not named. */
  readonly partition: number | null;
  readonly error: string | null;
}

export function deletedOffsetsTable(rows: readonly DeletedOffset[]): string {
  const line = (...cells: (string | number)[]) => `${columns([30, 15, 15], cells)}\n`;
  const lines = rows.map(({ topic, partition, error }) =>
    line(topic, partition ?? 'Not Provided', error === null ? 'Successful' : `Error: ${error}`),
  );
  return `\n${line('TOPIC', 'PARTITION', 'STATUS')}${lines.join('')}`;
}

import { KafkaError } from '../../client/errors.ts';
import type { Admin } from '../../client/index.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { exceptionText } from '../format/exceptions.ts';
import { deletedOffsetsTable, type DeletedOffset } from '../format/group-tables.ts';
import type { GroupsOptions } from './options.ts';
import { selectedGroups } from './selection.ts';
import { parseTopicArgument, type TopicArgument } from './topic-arguments.ts';

export async function deleteGroups(admin: Admin, options: GroupsOptions): Promise<void> {
  const groups = await selectedGroups(admin, options);
  const outcomes = await admin.deleteGroups(groups);
  const deleted = groups.filter((_, index) => outcomes[index]!.status === 'fulfilled').map(group => `'${group}'`);
  const failures = outcomes.flatMap((outcome, index) =>
    outcome.status === 'fulfilled'
      ? []
      : [`* Group '${groups[index]}' could not be deleted due to: ${exceptionText(outcome.reason)}\n`],
  );
  process.stdout.write(deletionReport(deleted.join(', '), failures));
}

function deletionReport(deleted: string, failures: readonly string[]): string {
  if (failures.length === 0) return `Deletion of requested consumer groups (${deleted}) was successful.\n`;
  const rest = deleted === '' ? '' : `\nThese consumer groups were deleted successfully: ${deleted}\n`;
  return `\nError: Deletion of some consumer groups failed:\n${failures.join('')}${rest}`;
}

export async function deleteOffsets(admin: Admin, options: GroupsOptions): Promise<void> {
  const [group] = options.group!.slice(-1);
  const topics = options.topic!.map(parseTopicArgument);
  const { partitions, unknown } = await resolve(admin, topics);
  let outcomes: (KafkaError | null)[];
  try {
    outcomes = await admin.deleteGroupOffsets(group!, partitions);
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    outcomes = partitions.map(() => error);
  }
  const rows: DeletedOffset[] = [
    ...unknown.map(topic => ({ topic, partition: null, error: messageOf(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) })),
    ...partitions.map((tp, index) => ({ ...tp, error: outcomes[index]?.message ?? null })),
  ];
  process.stdout.write(headline(outcomes, group!, options.topic!));
  process.stdout.write(deletedOffsetsTable(rows.sort(byText)));
}

const messageOf = (code: number): string => new KafkaError(code).message;
const textOf = ({ topic, partition }: DeletedOffset): string => partitionKey(topic, partition ?? -1);
const byText = (a: DeletedOffset, b: DeletedOffset): number => (textOf(a) < textOf(b) ? -1 : 1);

/** Errors that are of partitions and not of the group. */
const OF_PARTITIONS: ReadonlySet<number> = new Set([
  ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC,
  ErrorCode.TOPIC_AUTHORIZATION_FAILED,
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
]);

function headline(outcomes: readonly (KafkaError | null)[], group: string, topics: readonly string[]): string {
  const failed = outcomes.find(error => error !== null);
  if (failed === undefined)
    return `Request succeed for deleting offsets with topic ${topics.join(', ')} group ${group}\n`;
  return `\nError: ${reason(failed.code, group)}\n`;
}

function reason(code: number, group: string): string {
  if (OF_PARTITIONS.has(code)) return 'Encounter some partition level error, see the follow-up details:';
  switch (code) {
    case ErrorCode.INVALID_GROUP_ID:
      return `'${group}' is not valid.`;
    case ErrorCode.GROUP_ID_NOT_FOUND:
      return `'${group}' does not exist.`;
    case ErrorCode.GROUP_AUTHORIZATION_FAILED:
      return `Access to '${group}' is not authorized.`;
    case ErrorCode.NON_EMPTY_GROUP:
      return `Deleting offsets of a consumer group '${group}' is forbidden if the group is not empty.`;
    default:
      return `Encounter some unknown error: ${new KafkaError(code).codeName}`;
  }
}

/** The partitions that are meant, and topics without partitions named that do not exist. */
async function resolve(
  admin: Admin,
  topics: readonly TopicArgument[],
): Promise<{ partitions: TopicPartition[]; unknown: string[] }> {
  const known = new Map((await admin.listTopics()).map(({ name, partitions }) => [name, partitions]));
  const partitions = topics.flatMap(({ topic, partitions: named }) =>
    (named ?? known.get(topic)?.map(({ partition }) => partition) ?? []).map(partition => ({ topic, partition })),
  );
  const unknown = topics.filter(({ topic, partitions: named }) => named === null && !known.has(topic));
  return { partitions, unknown: unknown.map(({ topic }) => topic) };
}

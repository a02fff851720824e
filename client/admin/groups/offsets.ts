import type { Connection } from '../../../shared/connection/connection.ts';
import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { OffsetCommit } from '../../../shared/protocol/messages/offset-commit.ts';
import { OffsetDelete } from '../../../shared/protocol/messages/offset-delete.ts';
import { OffsetFetch } from '../../../shared/protocol/messages/offset-fetch.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { KafkaError } from '../../errors.ts';
import { askCoordinators } from '../../groups/ask-coordinators.ts';
import {
  askForOffsets,
  commitTopics,
  type OffsetsQuestion,
  type OffsetToCommit,
  type ToldOffset,
  type ToldOffsets,
} from '../../groups/committed-offsets.ts';
import { isOfTakeOver } from '../../groups/coordinator-errors.ts';
import type { GroupOffset } from './types.ts';

/** Whoever commits so is no member of the group, which has to be without members (Kafka: `SimpleConsumer`). */
const NO_GENERATION = -1;

/** Where each group stands; partitions where nothing is committed are missing. One question a group. */
export function listGroupOffsets(
  cluster: Cluster,
  questions: readonly OffsetsQuestion[],
  requireStable: boolean,
  deadline: number,
): Promise<PromiseSettledResult<GroupOffset[]>[]> {
  const byGroup = new Map(questions.map(question => [question.groupId, question]));
  const groupIds = questions.map(({ groupId }) => groupId);
  return askCoordinators(cluster, groupIds, deadline, 'no committed offsets', async (coordinator, ids) => {
    const asked = ids.map(id => byGroup.get(id)!);
    const version = Math.min(coordinator.versions(OffsetFetch)?.max ?? 0, OffsetFetch.versions.max);
    const answers = await askForOffsets(asked, version, requireStable, async (api, request) => {
      return (await coordinator.call(api, request))!;
    });
    return new Map(Array.from(answers, ([groupId, told]) => [groupId, offsetsOf(told)]));
  });
}

function offsetsOf({ errorCode, offsets }: ToldOffsets): GroupOffset[] | KafkaError {
  if (errorCode !== ErrorCode.NONE) return new KafkaError(errorCode);
  const failed = offsets.find(told => told.errorCode !== ErrorCode.NONE);
  if (failed !== undefined) return partitionError(failed);
  return offsets.flatMap(({ topic, partition, committed }) =>
    committed === null ? [] : [{ topic, partition, ...committed }],
  );
}

function partitionError({ topic, partition, errorCode }: Pick<ToldOffset, 'topic' | 'partition' | 'errorCode'>) {
  return new KafkaError(errorCode, `${partitionKey(topic, partition)}: ${new KafkaError(errorCode).message}`);
}

/** Commits in place of a group without members. @returns null, or the error, of each offset in the order given */
export async function alterGroupOffsets(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  deadline: number,
): Promise<(KafkaError | null)[]> {
  const codes = await askOne(cluster, groupId, deadline, 'the offsets were not committed', async coordinator => {
    const { topics } = (await coordinator.call(OffsetCommit, {
      groupId,
      generationIdOrMemberEpoch: NO_GENERATION,
      memberId: '',
      topics: commitTopics(offsets),
    }))!;
    return codesOf(topics);
  });
  return inOrder(offsets, codes);
}

/**
 * Forgets offsets of a group. @returns as `alterGroupOffsets`
 * @throws KafkaError GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP for a group whose members are no consumers
 */
export async function deleteGroupOffsets(
  cluster: Cluster,
  groupId: string,
  partitions: readonly TopicPartition[],
  deadline: number,
): Promise<(KafkaError | null)[]> {
  const topics = Array.from(byTopic(partitions), ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition }) => ({ partitionIndex: partition })),
  }));
  const codes = await askOne(cluster, groupId, deadline, 'the offsets were not deleted', async coordinator => {
    const response = (await coordinator.call(OffsetDelete, { groupId, topics }))!;
    return response.errorCode === ErrorCode.NONE ? codesOf(response.topics) : new KafkaError(response.errorCode);
  });
  return inOrder(partitions, codes);
}

type Codes = ReadonlyMap<string, number>;

/** A coordinator that is being replaced says so of each partition. */
function codesOf(
  topics: readonly { name: string; partitions: readonly { partitionIndex: number; errorCode: number }[] }[],
): Codes | KafkaError {
  const codes = new Map<string, number>();
  for (const { name, partitions } of topics) {
    for (const { partitionIndex, errorCode } of partitions) {
      if (isOfTakeOver(errorCode)) return new KafkaError(errorCode);
      codes.set(partitionKey(name, partitionIndex), errorCode);
    }
  }
  return codes;
}

function inOrder(partitions: readonly TopicPartition[], codes: Codes): (KafkaError | null)[] {
  return partitions.map(({ topic, partition }) => {
    const code = codes.get(partitionKey(topic, partition)) ?? ErrorCode.UNKNOWN_SERVER_ERROR;
    return code === ErrorCode.NONE ? null : new KafkaError(code);
  });
}

async function askOne(
  cluster: Cluster,
  groupId: string,
  deadline: number,
  what: string,
  ask: (coordinator: Connection) => Promise<Codes | KafkaError>,
): Promise<Codes> {
  const outcomes = await askCoordinators(cluster, [groupId], deadline, what, async coordinator => {
    return new Map([[groupId, await ask(coordinator)]]);
  });
  const [outcome] = outcomes;
  if (outcome!.status === 'rejected') throw outcome!.reason;
  return outcome!.value;
}

import type { Api, RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../shared/protocol/messages/offset-fetch.ts';
import { byTopic, type TopicPartition } from '../../shared/topics/topic-partition.ts';

/** A position of a group in a partition: of the record to be read next. */
export interface CommittedOffset {
  readonly offset: number;
  /** Whatever the one who committed wanted to keep with it. */
  readonly metadata: string;
  /** Leader epoch of the last record that was read; -1 when it is not known. */
  readonly leaderEpoch: number;
}

export type OffsetToCommit = TopicPartition & { readonly offset: number } & Partial<Omit<CommittedOffset, 'offset'>>;

/** What a coordinator says of a group's offset in a partition. */
export interface ToldOffset extends TopicPartition {
  readonly errorCode: number;
  /** null: nothing is committed there, or there is an error. */
  readonly committed: CommittedOffset | null;
}

/** What a coordinator says of a group's offsets. */
export interface ToldOffsets {
  readonly errorCode: number;
  readonly offsets: readonly ToldOffset[];
}

/** Which of a group's offsets are asked for; null: all that there are. */
export interface OffsetsQuestion {
  readonly groupId: string;
  readonly partitions: readonly TopicPartition[] | null;
}

/** From this version of OffsetFetch on the offsets of several groups are asked for at once (KIP-709). */
const BATCHED_SINCE = 8;

export function commitTopics(offsets: readonly OffsetToCommit[]): RequestInput<typeof OffsetCommit>['topics'] {
  return Array.from(byTopic(offsets), ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition, offset, metadata = '', leaderEpoch = -1 }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch,
      committedMetadata: metadata,
    })),
  }));
}

/**
 * Asks for committed offsets, in one request where the coordinator takes several groups in one, else in one a group.
 * @param call sends a request to the coordinator, whose highest version is `version`
 */
export async function askForOffsets(
  questions: readonly OffsetsQuestion[],
  version: number,
  requireStable: boolean,
  call: <A extends Api>(api: A, request: RequestInput<A>) => Promise<ResponseOf<A>>,
): Promise<Map<string, ToldOffsets>> {
  const asked = questions.map(({ groupId, partitions }) => ({
    groupId,
    topics: partitions && fetchTopics(partitions),
  }));
  if (version >= BATCHED_SINCE) {
    const { groups } = await call(OffsetFetch, { groups: asked, requireStable });
    return new Map(groups.map(answer => [answer.groupId, told(answer)]));
  }
  const answers = asked.map(async question => {
    return [question.groupId, told(await call(OffsetFetch, { ...question, requireStable }))] as const;
  });
  return new Map(await Promise.all(answers));
}

function fetchTopics(partitions: readonly TopicPartition[]) {
  return Array.from(byTopic(partitions), ([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }));
}

function told({ errorCode, topics }: Pick<ResponseOf<typeof OffsetFetch>, 'errorCode' | 'topics'>): ToldOffsets {
  const offsets = topics.flatMap(({ name, partitions }) =>
    partitions.map(answer => ({
      topic: name,
      partition: answer.partitionIndex,
      errorCode: answer.errorCode,
      committed: committedOf(answer),
    })),
  );
  return { errorCode, offsets };
}

type OffsetAnswer = ResponseOf<typeof OffsetFetch>['topics'][number]['partitions'][number];

function committedOf({
  errorCode,
  committedOffset,
  committedLeaderEpoch,
  metadata,
}: OffsetAnswer): CommittedOffset | null {
  if (errorCode !== 0 || committedOffset < 0) return null;
  return { offset: committedOffset, metadata: metadata ?? '', leaderEpoch: committedLeaderEpoch };
}

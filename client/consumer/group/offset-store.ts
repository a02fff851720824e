import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { OffsetCommit } from '../../../shared/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../../shared/protocol/messages/offset-fetch.ts';
import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { KafkaError } from '../../errors.ts';
import type { CoordinatorLink } from './coordinator-link.ts';
import type { Generation } from './generation.ts';
import { byTopic } from './topic-partitions.ts';

/** A position of a group in a partition: of the record to be read next. */
export interface CommittedOffset {
  readonly offset: number;
  /** Whatever the one who committed wanted to keep with it. */
  readonly metadata: string;
  /** Leader epoch of the last record that was read; -1 when it is not known. */
  readonly leaderEpoch: number;
}

export type OffsetToCommit = TopicPartition & { readonly offset: number } & Partial<Omit<CommittedOffset, 'offset'>>;

/** From this version on the offsets of several groups are asked for at once. */
const BATCHED_SINCE = 8;

/** Commits and fetches a group's offsets, one try each. */
export class OffsetStore {
  readonly #link: CoordinatorLink;
  readonly #groupId: string;
  readonly #instanceId: string | null;

  constructor(link: CoordinatorLink, groupId: string, instanceId: string | null) {
    this.#link = link;
    this.#groupId = groupId;
    this.#instanceId = instanceId;
  }

  /** @throws KafkaError the first that any partition has been answered with; ConnectionError */
  async commit(offsets: readonly OffsetToCommit[], { memberId, id }: Generation): Promise<void> {
    const wanted = new Map(offsets.map(wish => [partitionKey(wish.topic, wish.partition), wish]));
    const topics = byTopic(offsets).map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map(partitionIndex => {
        const { offset, metadata = '', leaderEpoch = -1 } = wanted.get(partitionKey(topic, partitionIndex))!;
        return {
          partitionIndex,
          committedOffset: offset,
          committedLeaderEpoch: leaderEpoch,
          committedMetadata: metadata,
        };
      }),
    }));
    const response = await this.#link.call(OffsetCommit, {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: id,
      memberId,
      groupInstanceId: this.#instanceId,
      topics,
    });
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex, errorCode } of partitions) this.#check(errorCode, `${name}-${partitionIndex}`);
    }
  }

  /** What is committed of these partitions; those of which nothing is are missing. @throws KafkaError, ConnectionError */
  async fetch(partitions: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    const found = new Map<string, CommittedOffset>();
    for (const { name, partitions: answers } of await this.#ask(partitions)) {
      for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata, errorCode } of answers) {
        this.#check(errorCode, `${name}-${partitionIndex}`);
        if (committedOffset < 0) continue;
        const committed = { offset: committedOffset, metadata: metadata ?? '', leaderEpoch: committedLeaderEpoch };
        found.set(partitionKey(name, partitionIndex), committed);
      }
    }
    return found;
  }

  async #ask(partitions: readonly TopicPartition[]) {
    const topics = byTopic(partitions).map(({ topic, partitions: indexes }) => ({
      name: topic,
      partitionIndexes: indexes,
    }));
    const isBatched = (await this.#link.highestVersion(OffsetFetch)) >= BATCHED_SINCE;
    const groupId = this.#groupId;
    const asked = isBatched ? { groups: [{ groupId, topics }] } : { groupId, topics };
    const response = await this.#link.call(OffsetFetch, { ...asked, requireStable: true });
    const answer = isBatched ? response.groups[0]! : response;
    this.#check(answer.errorCode, `group ${groupId}`);
    return answer.topics;
  }

  #check(code: number, what: string): void {
    if (code === ErrorCode.NONE) return;
    this.#link.note(code);
    const error = new KafkaError(code);
    throw new KafkaError(code, `${what}: ${error.message}`);
  }
}

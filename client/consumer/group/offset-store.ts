import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { OffsetCommit } from '../../../shared/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../../shared/protocol/messages/offset-fetch.ts';
import { partitionKey, type TopicPartition } from '../../../shared/topics/topic-partition.ts';
import { KafkaError } from '../../errors.ts';
import {
  askForOffsets,
  commitTopics,
  type CommittedOffset,
  type OffsetToCommit,
} from '../../groups/committed-offsets.ts';
import type { CoordinatorLink } from '../../groups/coordinator-link.ts';
import type { Generation } from './generation.ts';

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
    const response = await this.#link.call(OffsetCommit, {
      groupId: this.#groupId,
      generationIdOrMemberEpoch: id,
      memberId,
      groupInstanceId: this.#instanceId,
      topics: commitTopics(offsets),
    });
    for (const { name, partitions } of response.topics) {
      for (const { partitionIndex, errorCode } of partitions) this.#check(errorCode, `${name}-${partitionIndex}`);
    }
  }

  /** What is committed of these partitions; those of which nothing is are missing. @throws KafkaError, ConnectionError */
  async fetch(partitions: readonly TopicPartition[]): Promise<Map<string, CommittedOffset>> {
    const question = { groupId: this.#groupId, partitions };
    const version = await this.#link.highestVersion(OffsetFetch);
    const answers = await askForOffsets([question], version, true, (api, request) => this.#link.call(api, request));
    const { errorCode, offsets } = answers.get(this.#groupId)!;
    this.#check(errorCode, `group ${this.#groupId}`);
    const found = new Map<string, CommittedOffset>();
    for (const { topic, partition, errorCode: code, committed } of offsets) {
      this.#check(code, partitionKey(topic, partition));
      if (committed !== null) found.set(partitionKey(topic, partition), committed);
    }
    return found;
  }

  #check(code: number, what: string): void {
    if (code === ErrorCode.NONE) return;
    this.#link.note(code);
    const error = new KafkaError(code);
    throw new KafkaError(code, `${what}: ${error.message}`);
  }
}

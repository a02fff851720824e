import type { RequestInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Fetch } from '../../shared/protocol/messages/fetch.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import { nextSessionEpoch } from './fetch-sessions.ts';
import type { FollowedPartition } from './followed-partition.ts';

type FetchRequest = RequestInput<typeof Fetch>;
type RequestTopic = FetchRequest['topics'][number];
type RequestPartition = RequestTopic['partitions'][number];
type ForgottenTopic = NonNullable<FetchRequest['forgottenTopicsData']>[number];

/** The newest version, and the newest that names topics by name (for topics without an id). */
const VERSION = 17;
const VERSION_WITHOUT_TOPIC_IDS = 12;

/** What a request says of the session and its partitions; the rest is the same for all. */
export type SessionRequest = Pick<FetchRequest, 'sessionId' | 'sessionEpoch' | 'topics' | 'forgottenTopicsData'>;

/**
 * A follower's side of a fetch session (KIP-227; Kafka: `FetchSessionHandler`). Kafka compares all partitions with what
 * it told the leader last, at each request; here only those are looked at that `changed` names.
 */
export class FetcherSession {
  readonly #maxBytes: number;
  #id = 0;
  /** 0: the next request is a full one. */
  #epoch = 0;
  #version = VERSION;
  /** What the leader has been told about and not told to forget, by the partitions' keys. */
  readonly #members = new Map<string, FollowedPartition>();
  /** The same by topic id, as answers name them. */
  readonly #membersById = new Map<string, FollowedPartition>();
  /** What the next request tells. */
  readonly #changed = new Map<string, FollowedPartition>();
  readonly #forgotten = new Map<string, FollowedPartition>();

  /** @param maxBytes of one partition (`replica.fetch.max.bytes`) */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Version of the next request. */
  get version(): number {
    return this.#version;
  }

  /** The partition is to be fetched from where it now is. */
  put(partition: FollowedPartition): void {
    this.#changed.set(partition.key, partition);
    this.#forgotten.delete(partition.key);
  }

  /** The partition is not to be fetched any more. */
  drop(partition: FollowedPartition): void {
    this.#changed.delete(partition.key);
    this.#membersById.delete(idKey(partition));
    if (this.#members.delete(partition.key)) this.#forgotten.set(partition.key, partition);
  }

  /**
   * The partition that an answer is about, if it still is as it was when the leader was told about it.
   * @param topicId ZERO_UUID where the answer names the topic
   */
  find(topic: string, topicId: string, partition: number): FollowedPartition | undefined {
    const member =
      topicId === ZERO_UUID
        ? this.#members.get(partitionKey(topic, partition))
        : this.#membersById.get(partitionKey(topicId, partition));
    return member === undefined || this.#changed.has(member.key) ? undefined : member;
  }

  /** Makes the next request. */
  next(): SessionRequest {
    const version = this.#neededVersion();
    if (version !== this.#version) this.restart();
    this.#version = version;
    for (const [key, partition] of this.#changed) {
      this.#members.set(key, partition);
      if (partition.log.topicId !== null) this.#membersById.set(idKey(partition), partition);
    }
    const told = this.#epoch === 0 ? this.#members : this.#changed;
    const request = {
      sessionId: this.#id,
      sessionEpoch: this.#epoch,
      topics: groupByTopic(told.values(), partition => this.#describe(partition)).map(
        ([name, partitions]): RequestTopic => ({ ...name, partitions }),
      ),
      forgottenTopicsData: groupByTopic(this.#epoch === 0 ? [] : this.#forgotten.values(), numberOf).map(
        ([name, partitions]): ForgottenTopic => ({ ...name, partitions }),
      ),
    };
    this.#changed.clear();
    this.#forgotten.clear();
    return request;
  }

  #neededVersion(): number {
    // In a session with ids, only those that it is told about now may lack one.
    const candidates = this.#version === VERSION ? this.#changed : new Map([...this.#members, ...this.#changed]);
    for (const { log } of candidates.values()) if (log.topicId === null) return VERSION_WITHOUT_TOPIC_IDS;
    return VERSION;
  }

  #describe({ partition, leaderEpoch, fetchOffset, lastFetchedEpoch, log }: FollowedPartition): RequestPartition {
    return {
      partition: partition.partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset,
      lastFetchedEpoch,
      logStartOffset: log.logStartOffset,
      partitionMaxBytes: this.#maxBytes,
    };
  }

  /**
   * Takes the answer to the last request.
   * @returns whether its partitions are to be looked at; otherwise the next request is a full one
   */
  accept(response: { readonly errorCode: number; readonly sessionId: number }): boolean {
    if (response.errorCode !== ErrorCode.NONE) {
      if (response.errorCode === ErrorCode.FETCH_SESSION_ID_NOT_FOUND) this.#id = 0;
      this.restart();
      return false;
    }
    this.#id = response.sessionId;
    // Without a session (the leader's cache is full) every request is a full one.
    this.#epoch = this.#id === 0 ? 0 : nextSessionEpoch(this.#epoch);
    return true;
  }

  /** Makes the next request a full one, which ends the session if there is one. */
  restart(): void {
    this.#epoch = 0;
  }
}

function idKey({ log, partition }: FollowedPartition): string {
  return partitionKey(log.topicId ?? ZERO_UUID, partition.partition);
}

function numberOf({ partition }: FollowedPartition): number {
  return partition.partition;
}

interface TopicName {
  readonly topic: string;
  readonly topicId: string;
}

function groupByTopic<T>(
  partitions: Iterable<FollowedPartition>,
  describe: (partition: FollowedPartition) => T,
): [name: TopicName, described: T[]][] {
  const groups = new Map<string, [TopicName, T[]]>();
  for (const partition of partitions) {
    const { topic, log } = partition;
    let group = groups.get(topic);
    if (group === undefined) groups.set(topic, (group = [{ topic, topicId: log.topicId ?? ZERO_UUID }, []]));
    group[1].push(describe(partition));
  }
  return [...groups.values()];
}

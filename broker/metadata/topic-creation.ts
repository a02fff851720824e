import { isZooKeeperError } from '../../shared/zookeeper/zookeeper.ts';
import type { ReplicaAssignment, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { assignReplicas, AssignmentError } from '../../shared/topics/assignment.ts';
import { collidingTopic, topicNameProblem } from '../../shared/topics/names.ts';
import { topicConfigProblem, type TopicConfigValues } from '../../shared/topics/topic-config.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { AdminError } from './admin-error.ts';
import { checkManualAssignment } from './manual-assignment.ts';
import type { MetadataCache } from './metadata-cache.ts';
import { randomTopicId } from './topic-id.ts';

/** What a CreateTopics request wants; -1 stands for "the cluster's default". */
export interface TopicWish {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Replicas of each partition, first the preferred leader; empty = let the cluster assign. */
  readonly assignment: ReadonlyMap<number, readonly number[]>;
  readonly configs: Readonly<Record<string, string | null>>;
}

export interface CreatedTopic {
  readonly topicId: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}

export interface TopicCreationParts {
  readonly store: ZooKeeperStore;
  readonly metadata: MetadataCache;
  readonly config: BrokerConfig;
  readonly random: Random;
}

/**
 * Makes topics by writing their znodes; the controller sees them and does the rest (compare Kafka's ZkAdminManager).
 * Any broker may create automatically; CreateTopics is answered by the controller only.
 */
export class TopicCreation {
  readonly #parts: TopicCreationParts;

  constructor(parts: TopicCreationParts) {
    this.#parts = parts;
  }

  /**
   * Checks the wish, in Kafka's order, which decides what is told of several problems. Unless `validateOnly`, it then
   * writes `/config/topics/<t>` and `/brokers/topics/<t>`.
   * @throws AdminError when the wish cannot be granted
   */
  async create(wish: TopicWish, validateOnly: boolean): Promise<CreatedTopic> {
    const { store, metadata } = this.#parts;
    if (metadata.hasTopic(wish.name)) throw alreadyExists(wish.name);
    const configs = presentConfigs(wish);
    const assigned = this.#assign(wish);
    await this.#checkName(wish.name);
    const replicas = assigned ?? givenReplicas(wish);
    this.#checkConfigs(configs);
    const topicId = randomTopicId(this.#parts.random);
    if (!validateOnly) {
      const partitions = new Map<number, ReplicaAssignment>();
      for (const [partition, brokers] of replicas)
        partitions.set(partition, { replicas: brokers, adding: [], removing: [] });
      try {
        await store.topics.create(wish.name, { topicId, partitions }, new Map(Object.entries(configs)));
      } catch (error) {
        if (isZooKeeperError(error, 'NODE_EXISTS')) throw alreadyExists(wish.name);
        throw error;
      }
    }
    return { topicId, partitions: replicas.size, replicationFactor: replicas.get(0)?.length ?? 0, configs };
  }

  #checkConfigs(configs: Record<string, string>): void {
    const problem = topicConfigProblem(configs, this.#defaults());
    if (problem !== null) throw new AdminError(ErrorCode.INVALID_CONFIG, problem);
  }

  #defaults(): TopicConfigValues {
    return this.#parts.config.topicDefaults();
  }

  async #checkName(name: string): Promise<void> {
    const problem = topicNameProblem(name);
    if (problem !== null) throw new AdminError(ErrorCode.INVALID_TOPIC_EXCEPTION, problem);
    const { store } = this.#parts;
    // The mark outlives the topic's node: what is created in between would go down with it.
    const [existing, doomed] = await Promise.all([store.topics.names(), store.deletions.list()]);
    if (doomed.includes(name))
      throw new AdminError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' is marked for deletion.`);
    if (existing.includes(name)) throw alreadyExists(name);
    const colliding = collidingTopic(name, existing);
    if (colliding !== null) {
      throw new AdminError(
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        `Topic '${name}' collides with existing topics: ${colliding}; names may not differ only in '.' and '_'.`,
      );
    }
  }

  /** Replicas for what the cluster is to assign; null when the wish says where they are to be. */
  #assign(wish: TopicWish): Map<number, readonly number[]> | null {
    const { metadata, config, random } = this.#parts;
    if (wish.assignment.size > 0) {
      if (wish.partitions === -1 && wish.replicationFactor === -1) return null;
      throw new AdminError(
        ErrorCode.INVALID_REQUEST,
        'A replica assignment was given together with a partition count or a replication factor; give one or the other.',
      );
    }
    const partitions = wish.partitions === -1 ? config.get('num.partitions') : wish.partitions;
    const replicationFactor =
      wish.replicationFactor === -1 ? config.get('default.replication.factor') : wish.replicationFactor;
    try {
      return assignReplicas(metadata.aliveBrokers(), partitions, replicationFactor, random);
    } catch (error) {
      if (error instanceof AssignmentError) throw new AdminError(ErrorCode[error.kind], error.message);
      throw error;
    }
  }
}

function presentConfigs(wish: TopicWish): Record<string, string> {
  const configs: Record<string, string> = {};
  for (const [name, value] of Object.entries(wish.configs)) {
    if (value === null)
      throw new AdminError(ErrorCode.INVALID_CONFIG, `Null value not supported for topic config ${name}.`);
    configs[name] = value;
  }
  return configs;
}

/** As Kafka, new topics may be given to brokers that are not alive, or not there yet: they get their replicas when they come. */
function givenReplicas({ assignment }: TopicWish): Map<number, readonly number[]> {
  checkManualAssignment(assignment);
  return new Map(assignment);
}

function alreadyExists(name: string): AdminError {
  return new AdminError(ErrorCode.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`);
}

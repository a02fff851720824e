import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import {
  CONSUMER_OFFSETS_TOPIC,
  isInternalTopic,
  topicNameProblem,
  TRANSACTION_STATE_TOPIC,
} from '../../shared/topics/names.ts';
import type { BrokerConfig } from '../config/broker-config.ts';
import { AdminError } from './admin-error.ts';
import type { TopicCreation, TopicWish } from './topic-creation.ts';

/**
 * Creates topics because a client asked for their metadata (`auto.create.topics.enable`). One creation of a topic at a
 * time; the asking client is told to come again, as in Kafka's AutoTopicCreationManager.
 */
export class AutoTopicCreation {
  readonly #creation: TopicCreation;
  readonly #config: BrokerConfig;
  readonly #logger: Logger;
  readonly #underWay = new Set<string>();
  /** Why the topics of coordinators cannot be created, as the operator was last told. */
  readonly #problems = new Map<string, string>();

  constructor(creation: TopicCreation, config: BrokerConfig, logger: Logger) {
    this.#creation = creation;
    this.#config = config;
    this.#logger = logger;
  }

  /** The error code that the topic gets in this Metadata answer: LEADER_NOT_AVAILABLE means "being made, ask again". */
  async request(topic: string): Promise<ErrorCode> {
    if (!this.#config.get('auto.create.topics.enable')) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    if (topicNameProblem(topic) !== null) return ErrorCode.INVALID_TOPIC_EXCEPTION;
    return this.#create(topic);
  }

  /** Creates the topic of groups, or of transactions, because somebody looks for a coordinator: nobody has to allow that. */
  async requestCoordinatorTopic(topic: string): Promise<void> {
    await this.#create(topic);
  }

  /** Clients only ever hear that there is no coordinator; they ask again and again, and the operator is told once. */
  #tellOfCoordinatorTopic(topic: string, reason: string): void {
    if (reason !== this.#problems.get(topic)) {
      const [whose, settings] =
        topic === CONSUMER_OFFSETS_TOPIC
          ? ['consumer groups', 'offsets.topic.*']
          : ['transactions', 'transaction.state.log.*'];
      this.#logger.warn({ reason }, `the topic of ${whose} cannot be created (${settings} settings)`);
    }
    this.#problems.set(topic, reason);
  }

  async #create(topic: string): Promise<ErrorCode> {
    if (this.#underWay.has(topic)) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    this.#underWay.add(topic);
    try {
      await this.#creation.create(this.#wish(topic), false);
      this.#logger.info({ topic }, 'created a topic automatically');
      return ErrorCode.LEADER_NOT_AVAILABLE;
    } catch (error) {
      return this.#failure(topic, error);
    } finally {
      this.#underWay.delete(topic);
    }
  }

  /**
   * The topics of the coordinators have settings of their own (Kafka: `GroupCoordinator.offsetsTopicConfigs`,
   * `TransactionStateManager.transactionTopicConfigs`).
   */
  #wish(topic: string): TopicWish {
    const wish = { name: topic, assignment: new Map<number, number[]>() };
    const config = this.#config;
    switch (topic) {
      case CONSUMER_OFFSETS_TOPIC:
        return {
          ...wish,
          partitions: config.get('offsets.topic.num.partitions'),
          replicationFactor: config.get('offsets.topic.replication.factor'),
          configs: {
            'cleanup.policy': 'compact',
            'compression.type': 'producer',
            'segment.bytes': String(config.get('offsets.topic.segment.bytes')),
          },
        };
      case TRANSACTION_STATE_TOPIC:
        return {
          ...wish,
          partitions: config.get('transaction.state.log.num.partitions'),
          replicationFactor: config.get('transaction.state.log.replication.factor'),
          configs: {
            'cleanup.policy': 'compact',
            'compression.type': 'uncompressed',
            'min.insync.replicas': String(config.get('transaction.state.log.min.isr')),
            'segment.bytes': String(config.get('transaction.state.log.segment.bytes')),
            'unclean.leader.election.enable': 'false',
          },
        };
      default:
        return { ...wish, partitions: -1, replicationFactor: -1, configs: {} };
    }
  }

  #failure(topic: string, error: unknown): ErrorCode {
    if (!(error instanceof AdminError)) {
      this.#logger.warn({ topic, err: error }, 'could not create a topic automatically');
      return ErrorCode.UNKNOWN_SERVER_ERROR;
    }
    // Another broker was quicker: the topic is on its way.
    if (error.code === ErrorCode.TOPIC_ALREADY_EXISTS) return ErrorCode.LEADER_NOT_AVAILABLE;
    if (isInternalTopic(topic)) this.#tellOfCoordinatorTopic(topic, error.message);
    return error.code;
  }
}

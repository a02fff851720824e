import type { Connection } from '../../shared/connection/connection.ts';
import type { RequestInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AlterPartitionReassignments } from '../../shared/protocol/messages/alter-partition-reassignments.ts';
import { CreatePartitions } from '../../shared/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../shared/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../shared/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../shared/protocol/messages/describe-cluster.ts';
import { ElectLeaders } from '../../shared/protocol/messages/elect-leaders.ts';
import { ListPartitionReassignments } from '../../shared/protocol/messages/list-partition-reassignments.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { BrokerInfo, TopicInfo } from '../cluster/cluster-view.ts';
import { alterReplicaLogDirs, describeLogDirs, type LogDir, type ReplicaPlacement } from './log-dirs.ts';
import {
  alterOutcomes,
  alterRequest,
  listed,
  listRequest,
  type NewReassignment,
  type PartitionReassignment,
} from './reassignments.ts';
import { deleteRecords, type DeletedRecords } from './records.ts';
import { listOffset, type FoundOffset, type OffsetSpec } from '../consumer/offsets.ts';
import { KafkaError, throwIfError } from '../errors.ts';
import type { OffsetsQuestion, OffsetToCommit } from '../groups/committed-offsets.ts';
import { AdminCalls, type AdminOptions } from './calls.ts';
import { alterConfigs, describeConfigs } from './configs.ts';
import { describeGroups, listGroups, type GroupFilter } from './groups/describe.ts';
import { deleteGroups, removeMembers } from './groups/members.ts';
import { alterGroupOffsets, deleteGroupOffsets, listGroupOffsets } from './groups/offsets.ts';
import type { GroupDescription, GroupListing, GroupOffset, MemberToRemove, RemovedMember } from './groups/types.ts';
import { createdTopic, wireTopic } from './topics.ts';
import {
  abortTransaction,
  describeProducers,
  describeTransactions,
  listTransactions,
  type ActiveProducer,
  type TransactionDescription,
  type TransactionFilter,
  type TransactionListing,
  type TransactionToAbort,
} from './transactions.ts';
import type { ConfigChange, ConfigEntry, ConfigResource, CreatedTopic, ElectionOutcome, NewTopic } from './types.ts';

export interface ClusterDescription {
  readonly clusterId: string;
  /** -1 when there is none. */
  readonly controllerId: number;
  readonly brokers: readonly BrokerInfo[];
}

/** Bounds the size of an answer: all settings of a topic with their synonyms take some 5 KiB. */
const CONFIGS_PER_REQUEST = 500;

/**
 * Administers a cluster (compare Kafka's Admin). Each call goes to the broker that has to answer it and is tried again,
 * within default.api.timeout.ms, while the error is one that passes: a controller that moves, a broker that restarts.
 */
export class Admin {
  readonly #cluster: Cluster;
  readonly #calls: AdminCalls;

  constructor(cluster: Cluster, options: AdminOptions) {
    this.#cluster = cluster;
    this.#calls = new AdminCalls(cluster, options);
  }

  /**
   * Resolves when all brokers that can be reached know the topics.
   * @throws KafkaError for the first topic that could not be created (or, with `validateOnly`, could not be)
   */
  async createTopics(topics: readonly NewTopic[], { validateOnly = false } = {}): Promise<CreatedTopic[]> {
    const request = { topics: topics.map(wireTopic), timeoutMs: this.#calls.waitMs, validateOnly };
    const created = await this.#calls.atController(
      CreateTopics,
      () => request,
      response => response.topics.map(createdTopic),
    );
    const names = topics.map(({ name }) => name);
    if (!validateOnly) await this.#calls.untilAllHaveHeard(names, topic => topic !== undefined);
    return created;
  }

  /**
   * Resolves when no broker that can be reached knows the topics any more.
   * @throws KafkaError for the first topic that could not be deleted
   */
  async deleteTopics(topicNames: readonly string[]): Promise<void> {
    const request = {
      topics: topicNames.map(name => ({ name, topicId: ZERO_UUID })),
      topicNames: [...topicNames],
      timeoutMs: this.#calls.waitMs,
    };
    const byVersion = (version: number): RequestInput<typeof DeleteTopics> =>
      version >= 6 ? { ...request, topicNames: [] } : { ...request, topics: [] };
    await this.#calls.atController(DeleteTopics, byVersion, response => {
      for (const { errorCode, errorMessage } of response.responses) throwIfError(errorCode, errorMessage);
    });
    await this.#calls.untilAllHaveHeard(topicNames, topic => topic === undefined);
  }

  /**
   * Raises a topic's partition count to `total`; `assignment` names the replicas of each new partition. Resolves when all
   * brokers that can be reached know them.
   */
  async createPartitions(
    topic: string,
    total: number,
    assignment: readonly (readonly number[])[] | null = null,
  ): Promise<void> {
    const assignments = assignment?.map(brokerIds => ({ brokerIds: [...brokerIds] })) ?? null;
    const request = {
      topics: [{ name: topic, count: total, assignments }],
      timeoutMs: this.#calls.waitMs,
      validateOnly: false,
    };
    await this.#calls.atController(
      CreatePartitions,
      () => request,
      response => {
        for (const { errorCode, errorMessage } of response.results) throwIfError(errorCode, errorMessage);
      },
    );
    await this.#calls.untilAllHaveHeard([topic], info => info !== undefined && info.partitions.length >= total);
  }

  /** All topics with their partitions, by name. */
  listTopics(): Promise<TopicInfo[]> {
    return this.#calls.retrying('the topics could not be listed', () => this.#cluster.describeTopics(null));
  }

  /** @throws KafkaError UNKNOWN_TOPIC_OR_PARTITION if the topic does not exist */
  async describeTopic(name: string): Promise<TopicInfo> {
    const what = `topic ${name} could not be described`;
    const [topic] = await this.#calls.retrying(what, () => this.#cluster.describeTopics([name]));
    if (topic === undefined)
      throw new KafkaError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, `Topic '${name}' does not exist.`);
    return topic;
  }

  describeCluster(): Promise<ClusterDescription> {
    return this.#calls.retrying('the cluster could not be described', async () => {
      const request = { includeClusterAuthorizedOperations: false, endpointType: 1 };
      const response = (await (await this.#cluster.any()).call(DescribeCluster, request))!;
      throwIfError(response.errorCode, response.errorMessage);
      const brokers = response.brokers.map(({ brokerId, host, port, rack }) => ({ id: brokerId, host, port, rack }));
      return { clusterId: response.clusterId, controllerId: response.controllerId, brokers };
    });
  }

  /** The configuration of topics and brokers, in the order asked. Brokers describe themselves; others answer for topics. */
  async describeConfigs(resources: readonly ConfigResource[], includeSynonyms = true): Promise<ConfigEntry[][]> {
    const anybody = resources.filter(resource => !isOneBroker(resource));
    const groups = [...chunks(anybody, CONFIGS_PER_REQUEST), ...resources.filter(isOneBroker).map(broker => [broker])];
    const found = new Map<ConfigResource, ConfigEntry[]>();
    await Promise.all(
      groups.map(async group => {
        const entries = await this.#calls.retrying(`the configuration of ${named(group)} could not be read`, async () =>
          describeConfigs(await this.#connectionFor(group[0]!), group, includeSynonyms),
        );
        group.forEach((resource, index) => found.set(resource, entries[index]!));
      }),
    );
    return resources.map(resource => found.get(resource)!);
  }

  /** Changes single settings of a topic or broker and leaves the others alone (KIP-339); or checks whether it could. */
  async alterConfigs(
    resource: ConfigResource,
    changes: readonly ConfigChange[],
    { validateOnly = false } = {},
  ): Promise<void> {
    await this.#calls.retrying(
      `the configuration of ${resource.type} ${resource.name} could not be changed`,
      async () => alterConfigs(await this.#connectionFor(resource), resource, changes, validateOnly),
    );
  }

  async #connectionFor({ type, name }: ConfigResource): Promise<Connection> {
    if (!isOneBroker({ type, name })) return this.#cluster.any();
    return this.#cluster.brokerAskedFor(Number(name));
  }

  /** Elects leaders for the partitions, or for all (null); outcomes of those where there was something to do. */
  electLeaders(
    type: 'preferred' | 'unclean',
    partitions: readonly TopicPartition[] | null,
  ): Promise<ElectionOutcome[]> {
    const topicPartitions =
      partitions &&
      Array.from(byTopic(partitions), ([topic, group]) => ({ topic, partitions: group.map(tp => tp.partition) }));
    const request = { electionType: type === 'unclean' ? 1 : 0, topicPartitions, timeoutMs: this.#calls.waitMs };
    return this.#calls.atController(
      ElectLeaders,
      () => request,
      response => {
        throwIfError(response.errorCode);
        return response.replicaElectionResults.flatMap(({ topic, partitionResult }) =>
          partitionResult.map(({ partitionId, errorCode, errorMessage }) => ({
            topic,
            partition: partitionId,
            error: errorCode === ErrorCode.NONE ? null : new KafkaError(errorCode, errorMessage),
          })),
        );
      },
    );
  }

  /**
   * Orders partitions to other brokers, or gives reassignments under way up (KIP-455). Resolves when they are begun: they
   * go on afterwards. The outcomes, in the order asked, are null or the error.
   */
  alterPartitionReassignments(wanted: readonly NewReassignment[]): Promise<(KafkaError | null)[]> {
    return this.#calls.atController(
      AlterPartitionReassignments,
      () => alterRequest(wanted, this.#calls.waitMs),
      response => alterOutcomes(wanted, response),
    );
  }

  /** The reassignments under way, of these partitions or of all (null). */
  listPartitionReassignments(wanted: readonly TopicPartition[] | null = null): Promise<PartitionReassignment[]> {
    return this.#calls.atController(ListPartitionReassignments, () => listRequest(wanted, this.#calls.waitMs), listed);
  }

  /** Looks offsets up at the partitions' leaders; each outcome is a found offset or the error of that partition. */
  listOffsets(
    wanted: readonly (readonly [TopicPartition, OffsetSpec])[],
    isolation: 'read_uncommitted' | 'read_committed' = 'read_uncommitted',
  ): Promise<PromiseSettledResult<FoundOffset>[]> {
    const deadline = this.#calls.deadline();
    return Promise.allSettled(wanted.map(([tp, spec]) => listOffset(this.#cluster, tp, spec, isolation, deadline)));
  }

  /**
   * Deletes the records below each offset (-1: all that are committed); each outcome is the partition's low watermark
   * then, or its error.
   */
  deleteRecords(
    wanted: readonly (readonly [TopicPartition, offset: number])[],
  ): Promise<PromiseSettledResult<DeletedRecords>[]> {
    const deadline = this.#calls.deadline();
    return Promise.allSettled(
      wanted.map(([tp, offset]) => deleteRecords(this.#cluster, tp, offset, this.#calls.waitMs, deadline)),
    );
  }

  /** The log directories of each of the brokers. @throws KafkaError, ConnectionError when one of them does not answer */
  async describeLogDirs(brokers: readonly number[]): Promise<Map<number, LogDir[]>> {
    const described = await Promise.all(
      brokers.map(async id => {
        const what = `the log directories of broker ${id} could not be described`;
        return [
          id,
          await this.#calls.retrying(what, async () => describeLogDirs(await this.connectionTo(id))),
        ] as const;
      }),
    );
    return new Map(described);
  }

  /**
   * Orders replicas into log directories of their brokers, where they go on moving after the answer. The outcomes are in
   * the order asked. A replica that is not there yet (REPLICA_NOT_AVAILABLE) will be made in that directory.
   */
  async alterReplicaLogDirs(placements: readonly ReplicaPlacement[]): Promise<PromiseSettledResult<void>[]> {
    const codes = new Map<number, Promise<Map<string, number>>>();
    for (const broker of new Set(placements.map(placement => placement.broker))) {
      const own = placements.filter(placement => placement.broker === broker);
      const what = `the log directories of broker ${broker} could not be altered`;
      codes.set(
        broker,
        this.#calls.retrying(what, async () => alterReplicaLogDirs(await this.connectionTo(broker), own)),
      );
    }
    return Promise.allSettled(
      placements.map(async ({ broker, topic, partition }) => {
        const code = (await codes.get(broker)!).get(partitionKey(topic, partition));
        throwIfError(code ?? ErrorCode.UNKNOWN_SERVER_ERROR);
      }),
    );
  }

  // ── groups ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The groups of all brokers, by id. @throws KafkaError, ConnectionError when one of the brokers does not answer */
  listGroups(filter: GroupFilter = {}): Promise<GroupListing[]> {
    return this.#calls.retrying('the groups could not be listed', () => listGroups(this.#cluster, filter));
  }

  /** State and members of groups, in the order asked. A group that does not exist is Dead, which is no error. */
  describeGroups(groupIds: readonly string[]): Promise<PromiseSettledResult<GroupDescription>[]> {
    return describeGroups(this.#cluster, groupIds, this.#calls.deadline());
  }

  /**
   * Where groups stand, in the order asked; partitions where nothing is committed are missing.
   * @param questions one a group; null partitions ask for all that there are
   * @param options requireStable: waits for transactions that have offsets of the group pending
   */
  listGroupOffsets(
    questions: readonly OffsetsQuestion[],
    { requireStable = false } = {},
  ): Promise<PromiseSettledResult<GroupOffset[]>[]> {
    return listGroupOffsets(this.#cluster, questions, requireStable, this.#calls.deadline());
  }

  /**
   * Sets offsets of a group that has no members, which may also be a new one. The outcomes, in the order given, are null
   * or the error: UNKNOWN_MEMBER_ID, of all of them, when the group has members.
   */
  alterGroupOffsets(groupId: string, offsets: readonly OffsetToCommit[]): Promise<(KafkaError | null)[]> {
    return alterGroupOffsets(this.#cluster, groupId, offsets, this.#calls.deadline());
  }

  /**
   * Forgets offsets of a group (KIP-496). The outcomes, in the order given, are null or the error: GROUP_SUBSCRIBED_TO_TOPIC
   * for partitions that its members read.
   * @throws KafkaError GROUP_ID_NOT_FOUND; NON_EMPTY_GROUP for a group whose members are no consumers
   */
  deleteGroupOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<(KafkaError | null)[]> {
    return deleteGroupOffsets(this.#cluster, groupId, partitions, this.#calls.deadline());
  }

  /** Deletes groups and their offsets; outcomes in the order given: NON_EMPTY_GROUP for one that has members. */
  deleteGroups(groupIds: readonly string[]): Promise<PromiseSettledResult<void>[]> {
    return deleteGroups(this.#cluster, groupIds, this.#calls.deadline());
  }

  /**
   * Has members leave their group (KIP-345): dynamic ones that still run come back. @param members default: all
   * @throws KafkaError when the group as a whole could not be asked
   */
  removeMembers(
    groupId: string,
    members: readonly MemberToRemove[] | null = null,
    reason = 'member was removed by an admin',
  ): Promise<RemovedMember[]> {
    return removeMembers(this.#cluster, groupId, members, reason, this.#calls.deadline());
  }

  // ── transactions ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** The transactional ids of all brokers. @throws KafkaError, ConnectionError when one of the brokers does not answer */
  listTransactions(filter: TransactionFilter = {}): Promise<TransactionListing[]> {
    return this.#calls.retrying('the transactions could not be listed', () => listTransactions(this.#cluster, filter));
  }

  /** Outcomes in the order asked: TRANSACTIONAL_ID_NOT_FOUND for an id that is not known. */
  describeTransactions(transactionalIds: readonly string[]): Promise<PromiseSettledResult<TransactionDescription>[]> {
    return describeTransactions(this.#cluster, transactionalIds, this.#calls.deadline());
  }

  /** The producers of a partition, as its leader, or the replica on a broker, knows them. @throws KafkaError */
  describeProducers(partition: TopicPartition, brokerId: number | null = null): Promise<ActiveProducer[]> {
    return describeProducers(this.#cluster, partition, brokerId, this.#calls.deadline());
  }

  /**
   * Ends a transaction as aborted in one partition, over the head of its coordinator: for one that hangs.
   * @throws KafkaError INVALID_PRODUCER_EPOCH, TRANSACTION_COORDINATOR_FENCED when somebody later has written there
   */
  abortTransaction(transaction: TransactionToAbort): Promise<void> {
    return abortTransaction(this.#cluster, transaction, this.#calls.deadline());
  }

  /** The connection to one broker, for asking it what it can do. */
  connectionTo(brokerId: number): Promise<Connection> {
    return this.#cluster.brokerAskedFor(brokerId);
  }

  close(): void {
    this.#cluster.close();
  }
}

/** Only the broker itself can tell, or be told. */
function isOneBroker({ type, name }: ConfigResource): boolean {
  return type !== 'topic' && name !== '';
}

function named([first, ...others]: readonly ConfigResource[]): string {
  return `${first!.type} ${first!.name}${others.length > 0 ? ` and ${others.length} others` : ''}`;
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

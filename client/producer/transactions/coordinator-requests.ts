import { ErrorCode } from '../../../shared/protocol/errors.ts';
import { AddOffsetsToTxn } from '../../../shared/protocol/messages/add-offsets-to-txn.ts';
import { AddPartitionsToTxn } from '../../../shared/protocol/messages/add-partitions-to-txn.ts';
import { EndTxn } from '../../../shared/protocol/messages/end-txn.ts';
import { InitProducerId } from '../../../shared/protocol/messages/init-producer-id.ts';
import { TxnOffsetCommit } from '../../../shared/protocol/messages/txn-offset-commit.ts';
import type { TopicPartition } from '../../../shared/topics/topic-partition.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import type { GroupMetadata } from '../../consumer/group/consumer-group.ts';
import { commitTopics, type OffsetToCommit } from '../../groups/committed-offsets.ts';
import { CoordinatorLink } from '../../groups/coordinator-link.ts';
import type { ProducerIdentity } from '../sequences.ts';
import { topicsOf } from './added-partitions.ts';

/** From here on AddPartitionsToTxn is the brokers' own (KIP-890). */
const LAST_CLIENT_VERSION = 3;
const NO_IDENTITY = { producerId: -1, producerEpoch: -1 };

/** The requests of one transactional id to its coordinator, and to those of groups; each one try, answered with a code. */
export class CoordinatorRequests {
  readonly #cluster: Cluster;
  readonly #transactionalId: string;
  readonly #timeoutMs: number;
  readonly #link: CoordinatorLink;
  #group: { readonly id: string; readonly link: CoordinatorLink } | null = null;

  /** @param timeoutMs after which the coordinator aborts a transaction by itself */
  constructor(cluster: Cluster, transactionalId: string, timeoutMs: number) {
    this.#cluster = cluster;
    this.#transactionalId = transactionalId;
    this.#timeoutMs = timeoutMs;
    this.#link = new CoordinatorLink(cluster, transactionalId, 'transaction');
  }

  /**
   * @param current null: whoever has the transactional id is fenced; else the epoch is to be raised, if it is still this
   *     one (KIP-360)
   * @throws ConnectionError, KafkaError
   */
  async initProducerId(current: ProducerIdentity | null): Promise<ErrorCode | ProducerIdentity> {
    const { errorCode, producerId, producerEpoch } = await this.#link.call(InitProducerId, {
      transactionalId: this.#transactionalId,
      transactionTimeoutMs: this.#timeoutMs,
      ...(current === null ? NO_IDENTITY : { producerId: current.id, producerEpoch: current.epoch }),
    });
    return errorCode === ErrorCode.NONE ? { id: producerId, epoch: producerEpoch } : this.#note(errorCode);
  }

  /** @throws ConnectionError, KafkaError */
  async addPartitions(identity: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<ErrorCode> {
    const highest = await this.#link.highestVersion(AddPartitionsToTxn);
    const { resultsByTopicV3AndBelow } = await this.#link.call(
      AddPartitionsToTxn,
      {
        v3AndBelowTransactionalId: this.#transactionalId,
        v3AndBelowProducerId: identity.id,
        v3AndBelowProducerEpoch: identity.epoch,
        v3AndBelowTopics: topicsOf(partitions),
      },
      { version: Math.min(highest, LAST_CLIENT_VERSION) },
    );
    const codes = resultsByTopicV3AndBelow.flatMap(({ resultsByPartition }) =>
      resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode),
    );
    return this.#note(tellingCode(codes));
  }

  /** @throws ConnectionError, KafkaError */
  async addOffsets(identity: ProducerIdentity, groupId: string): Promise<ErrorCode> {
    const { errorCode } = await this.#link.call(AddOffsetsToTxn, { ...this.#named(identity), groupId });
    return this.#note(errorCode);
  }

  /** @throws ConnectionError, KafkaError */
  async commitOffsets(
    identity: ProducerIdentity,
    offsets: readonly OffsetToCommit[],
    { groupId, memberId, generationId, groupInstanceId }: GroupMetadata,
  ): Promise<ErrorCode> {
    if (this.#group?.id !== groupId) this.#group = { id: groupId, link: new CoordinatorLink(this.#cluster, groupId) };
    const { link } = this.#group;
    const { topics } = await link.call(TxnOffsetCommit, {
      ...this.#named(identity),
      groupId,
      generationId,
      memberId,
      groupInstanceId,
      topics: commitTopics(offsets),
    });
    const code = tellingCode(topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)));
    link.note(code);
    // The same request that a coordinator could not write in time may pass at the next one.
    if (code === ErrorCode.REQUEST_TIMED_OUT) link.forget();
    return code;
  }

  /** @throws ConnectionError, KafkaError */
  async endTransaction(identity: ProducerIdentity, committed: boolean): Promise<ErrorCode> {
    const { errorCode } = await this.#link.call(EndTxn, { ...this.#named(identity), committed });
    return this.#note(errorCode);
  }

  #named({ id, epoch }: ProducerIdentity) {
    return { transactionalId: this.#transactionalId, producerId: id, producerEpoch: epoch };
  }

  #note(code: number): ErrorCode {
    this.#link.note(code);
    return code as ErrorCode;
  }
}

/** Of several codes the one to act on: that a partition was not tried only says that another one is at fault. */
function tellingCode(codes: readonly number[]): ErrorCode {
  const failed = codes.filter(code => code !== ErrorCode.NONE);
  return (failed.find(code => code !== ErrorCode.OPERATION_NOT_ATTEMPTED) ?? failed[0] ?? ErrorCode.NONE) as ErrorCode;
}

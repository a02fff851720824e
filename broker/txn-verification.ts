import { ConnectionError, type Connector } from '../shared/connection/connection.ts';
import type { ResponseOf } from '../shared/protocol/api.ts';
import { ErrorCode } from '../shared/protocol/errors.ts';
import { AddPartitionsToTxn } from '../shared/protocol/messages/add-partitions-to-txn.ts';
import { coordinatorPartition } from '../shared/topics/coordinator-partition.ts';
import { TRANSACTION_STATE_TOPIC } from '../shared/topics/names.ts';
import { byTopic, partitionKey, type TopicPartition } from '../shared/topics/topic-partition.ts';
import { BrokerLinks } from './broker-links.ts';
import type { BrokerConfig } from './config/broker-config.ts';
import type { MetadataCache } from './metadata/metadata-cache.ts';
import type { TxnVerifier } from './replication/txn-verifier.ts';

/** The version spoken: that of inter.broker.protocol.version 3.9. */
const VERSION = 5;
/** Transactions that one request asks about at most. */
const MOST_IN_REQUEST = 1000;
/** Questions that may wait for a coordinator that is slow to answer. */
const MOST_WAITING = 10_000;

type Codes = ReadonlyMap<string, ErrorCode>;
type Results = ResponseOf<typeof AddPartitionsToTxn>['resultsByTransaction'];

/** Whether these partitions are in that producer's transaction. */
interface Question {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly partitions: readonly TopicPartition[];
  readonly answer: (codes: Codes) => void;
}

/** What one broker is to be asked. */
interface Queue {
  waiting: Question[];
  isAsking: boolean;
}

export interface TxnVerificationParts {
  readonly config: BrokerConfig;
  readonly metadata: MetadataCache;
  readonly connector: Connector;
}

/**
 * Asks the coordinators of transactions, over the inter-broker listener, which partitions are in them (Kafka:
 * `AddPartitionsToTxnManager`). There is one request at a time to a broker; what comes up meanwhile goes with the next:
 *
 *     verify(a)  ─→  request [a]  ─────────────→ answer
 *     verify(b), verify(c), verify(a again)      request [b, c, a]  ─→ …
 */
export class TxnVerification implements TxnVerifier {
  readonly #metadata: MetadataCache;
  readonly #links: BrokerLinks;
  readonly #timeoutMs: () => number;
  readonly #queues = new Map<number, Queue>();
  #isClosed = false;

  constructor({ config, metadata, connector }: TxnVerificationParts) {
    this.#metadata = metadata;
    this.#links = new BrokerLinks(metadata, connector, config.listeners.interBroker);
    this.#timeoutMs = () => config.get('request.timeout.ms');
  }

  verify(
    transactionalId: string,
    producerId: number,
    producerEpoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<Codes> {
    const coordinator = this.#coordinatorOf(transactionalId);
    if (coordinator === null) return Promise.resolve(sameFor(partitions, ErrorCode.COORDINATOR_NOT_AVAILABLE));
    const queue = this.#queueOf(coordinator);
    if (this.#isClosed || queue.waiting.length >= MOST_WAITING) {
      return Promise.resolve(sameFor(partitions, ErrorCode.COORDINATOR_LOAD_IN_PROGRESS));
    }
    return new Promise(answer => {
      queue.waiting.push({ transactionalId, producerId, producerEpoch, partitions, answer });
      if (!queue.isAsking) void this.#askAll(coordinator, queue);
    });
  }

  /** The broker that leads the id's partition of `__transaction_state`; null when nobody is known to. */
  #coordinatorOf(transactionalId: string): number | null {
    const count = this.#metadata.partitionCount(TRANSACTION_STATE_TOPIC);
    if (count === 0) return null;
    const known = this.#metadata.partition(TRANSACTION_STATE_TOPIC, coordinatorPartition(transactionalId, count));
    return known !== null && this.#metadata.isAlive(known.leader) ? known.leader : null;
  }

  #queueOf(brokerId: number): Queue {
    let queue = this.#queues.get(brokerId);
    if (queue === undefined) this.#queues.set(brokerId, (queue = { waiting: [], isAsking: false }));
    return queue;
  }

  async #askAll(brokerId: number, queue: Queue): Promise<void> {
    queue.isAsking = true;
    while (queue.waiting.length > 0) {
      const questions = takeNext(queue);
      const codes = await this.#ask(brokerId, questions);
      for (const [i, { answer }] of questions.entries()) answer(codes[i]!);
    }
    queue.isAsking = false;
    this.#queues.delete(brokerId);
  }

  async #ask(brokerId: number, questions: readonly Question[]): Promise<Codes[]> {
    const all = (code: ErrorCode) => questions.map(({ partitions }) => sameFor(partitions, code));
    try {
      const connection = await this.#links.connect(brokerId);
      const request = { transactions: questions.map(asTransaction) };
      const timeoutMs = this.#timeoutMs();
      const response = await connection.call(AddPartitionsToTxn, request, { version: VERSION, timeoutMs });
      if (response === undefined) return all(ErrorCode.NETWORK_EXCEPTION);
      const { errorCode, resultsByTransaction } = response;
      if (errorCode !== ErrorCode.NONE) return all(forProducer(errorCode as ErrorCode));
      return questions.map(question => codesFor(question, resultsByTransaction));
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      return all(ErrorCode.NETWORK_EXCEPTION);
    }
  }

  /** Ends what is under way; nothing is asked any more. */
  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }
}

/** Takes away those that fit into one request, in which an id can stand once. */
function takeNext(queue: Queue): Question[] {
  const taken = new Map<string, Question>();
  const left: Question[] = [];
  for (const question of queue.waiting) {
    const fits = taken.size < MOST_IN_REQUEST && !taken.has(question.transactionalId);
    if (fits) taken.set(question.transactionalId, question);
    else left.push(question);
  }
  queue.waiting = left;
  return [...taken.values()];
}

function asTransaction({ transactionalId, producerId, producerEpoch, partitions }: Question) {
  const topics = Array.from(byTopic(partitions), ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(({ partition }) => partition),
  }));
  return { transactionalId, producerId, producerEpoch, verifyOnly: true, topics };
}

/** A producer is not to hear that this broker may not ask. */
function forProducer(code: ErrorCode): ErrorCode {
  return code === ErrorCode.CLUSTER_AUTHORIZATION_FAILED ? ErrorCode.INVALID_TXN_STATE : code;
}

function codesFor({ transactionalId }: Question, results: Results): Codes {
  const codes = new Map<string, ErrorCode>();
  const found = results.find(result => result.transactionalId === transactionalId);
  for (const { name, resultsByPartition } of found?.topicResults ?? []) {
    for (const { partitionIndex, partitionErrorCode } of resultsByPartition) {
      codes.set(partitionKey(name, partitionIndex), partitionErrorCode as ErrorCode);
    }
  }
  return codes;
}

function sameFor(partitions: readonly TopicPartition[], code: ErrorCode): Codes {
  return new Map(partitions.map(({ topic, partition }) => [partitionKey(topic, partition), code]));
}

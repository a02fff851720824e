import type { RequestInput, ResponseOf } from '../../shared/protocol/api.ts';
import { errorByCode, ErrorCode } from '../../shared/protocol/errors.ts';
import type { AlterPartition } from '../../shared/protocol/messages/alter-partition.ts';
import { ZERO_UUID } from '../../shared/protocol/schema.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { IsrChannel } from './controller-link.ts';
import type { IsrProposal, IsrProposals } from './isr-proposals.ts';

type Request = RequestInput<typeof AlterPartition>;
type Response = ResponseOf<typeof AlterPartition>;
type PartitionResponse = Response['topics'][number]['partitions'][number];

const RETRY_MS = 50;
/** Topics by id, and the members of the ISR with their broker epochs. */
const VERSION = 3;
/** The last version that names topics: for topics that have no id. */
const VERSION_WITHOUT_TOPIC_IDS = 1;

export interface IsrManagerOptions {
  readonly brokerId: number;
  /** The epoch under which this broker is registered. */
  readonly brokerEpoch: () => bigint;
  readonly channel: IsrChannel;
  readonly timers: Timers;
  readonly logger: Logger;
}

/**
 * Takes the ISRs that leaders propose to the controller (Kafka: `AlterPartitionManager`, KIP-497). What comes up in a
 * loop turn goes in one request; one request is in flight; it is repeated until the controller has answered.
 */
export class IsrManager implements IsrProposals {
  readonly #options: IsrManagerOptions;
  /** Not yet sent, or to be sent again; the newest of each partition. */
  readonly #queued = new Map<string, IsrProposal>();
  #state: 'idle' | 'scheduled' | 'inFlight' | 'stopped' = 'idle';

  constructor(options: IsrManagerOptions) {
    this.#options = options;
  }

  submit(proposal: IsrProposal): void {
    this.#queued.set(partitionKey(proposal.topic, proposal.partition), proposal);
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    this.#options.timers.endOfTurn(() => this.#send());
  }

  /** Stops sending; what is queued is dropped: another leader, or this one after a restart, will see to it. */
  shutdown(): void {
    this.#state = 'stopped';
    this.#queued.clear();
    this.#options.channel.close();
  }

  get #isStopped(): boolean {
    return this.#state === 'stopped';
  }

  #send(): void {
    if (this.#isStopped) return;
    if (this.#queued.size === 0) {
      this.#state = 'idle';
      return;
    }
    this.#state = 'inFlight';
    const batch = new Map(this.#queued);
    this.#queued.clear();
    this.#ask([...batch.values()]).then(
      response => this.#answered(batch, response),
      (error: unknown) => this.#failed(batch, { err: error }),
    );
  }

  #ask(proposals: readonly IsrProposal[]): Promise<Response> {
    const hasIds = proposals.every(({ topicId }) => topicId !== ZERO_UUID);
    const version = hasIds ? VERSION : VERSION_WITHOUT_TOPIC_IDS;
    return this.#options.channel.send(this.#request(proposals, hasIds), version);
  }

  #request(proposals: readonly IsrProposal[], hasIds: boolean): Request {
    const topics = groupByTopic(proposals).map(members => ({
      topicName: members[0]!.topic,
      topicId: members[0]!.topicId,
      partitions: members.map(({ partition, leaderEpoch, partitionEpoch, isr }) => ({
        partitionIndex: partition,
        leaderEpoch,
        partitionEpoch,
        // The controller of a ZooKeeper cluster does not look at the members' epochs, so they stay at their default.
        ...(hasIds ? { newIsrWithEpochs: isr.map(brokerId => ({ brokerId })) } : { newIsr: isr }),
      })),
    }));
    return { brokerId: this.#options.brokerId, brokerEpoch: this.#options.brokerEpoch(), topics };
  }

  #answered(batch: ReadonlyMap<string, IsrProposal>, response: Response): void {
    if (this.#isStopped) return;
    if (response.errorCode !== ErrorCode.NONE) {
      this.#failed(batch, { error: errorByCode(response.errorCode).name });
      return;
    }
    const left = new Map(batch);
    let delayMs = 0;
    for (const [key, answer] of answersByKey(batch, response)) {
      // Settled, a leader may submit its next proposal at once: that is queued until the next turn.
      left.get(key)?.settled(answer);
      left.delete(key);
      if (answer.errorCode !== ErrorCode.NONE) delayMs = RETRY_MS;
    }
    // What the controller did not mention is asked for again, unless the leader has something newer to propose.
    this.#requeue(left);
    this.#next(left.size > 0 ? RETRY_MS : delayMs);
  }

  #failed(batch: ReadonlyMap<string, IsrProposal>, why: object): void {
    if (this.#isStopped) return;
    this.#options.logger.debug(
      { ...why, partitions: batch.size },
      'the controller did not take ISR changes, trying again',
    );
    this.#requeue(batch);
    this.#next(RETRY_MS);
  }

  #requeue(batch: ReadonlyMap<string, IsrProposal>): void {
    for (const [key, proposal] of batch) if (!this.#queued.has(key)) this.#queued.set(key, proposal);
  }

  #next(delayMs: number): void {
    if (this.#isStopped) return;
    this.#state = this.#queued.size > 0 ? 'scheduled' : 'idle';
    if (this.#state === 'scheduled') this.#options.timers.after(delayMs, () => this.#send());
  }
}

function groupByTopic(proposals: readonly IsrProposal[]): IsrProposal[][] {
  const groups = new Map<string, IsrProposal[]>();
  for (const proposal of proposals) {
    const group = groups.get(proposal.topic);
    if (group === undefined) groups.set(proposal.topic, [proposal]);
    else group.push(proposal);
  }
  return [...groups.values()];
}

/** The answers by the partitions' keys; with topic ids, an answer does not tell the topic's name. */
function* answersByKey(
  batch: ReadonlyMap<string, IsrProposal>,
  { topics }: Response,
): Generator<[key: string, answer: PartitionResponse]> {
  const names = new Map([...batch.values()].map(({ topic, topicId }) => [topicId, topic]));
  for (const { topicName, topicId, partitions } of topics) {
    const topic = topicId === ZERO_UUID ? topicName : names.get(topicId);
    if (topic === undefined) continue;
    for (const answer of partitions) yield [partitionKey(topic, answer.partitionIndex), answer];
  }
}

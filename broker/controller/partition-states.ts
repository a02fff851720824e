import type { Logger } from '../../shared/runtime/logger.ts';
import type { Fence, LeaderAndIsr, PartitionStateEntry, ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { ControlledPartition, ControllerContext } from './context.ts';
import type { ControlRequests } from './control-requests.ts';
import {
  electLeader,
  initialState,
  needsUncleanElection,
  stateAfterElection,
  type ElectionCandidate,
  type ElectionKind,
  type ElectionOutcome,
} from './election.ts';
import type { Failpoints } from './failpoints.ts';
import type { LeadershipDecisions, LeadershipWriter } from './leadership-writer.ts';
import type { RequestBatch } from './request-batch.ts';
import { PARTITION_STATE_SOURCES, type PartitionState } from './states.ts';
import type { UncleanElection } from './unclean-election.ts';

/** How to find a leader for partitions that go online. */
export interface ElectionRequest {
  readonly kind: ElectionKind;
  /** Asked for by an operator: an unclean leader is fine whatever the topic says. */
  readonly uncleanAllowed?: boolean;
}

const OFFLINE_ELECTION: ElectionRequest = { kind: 'offline' };

/** Why partitions did not get into the wanted state, by partition key. Partitions that did are not in it. */
export type StateChangeFailures = ReadonlyMap<string, string>;

export interface PartitionStatesParts {
  readonly controller: Fence & { readonly epoch: number };
  readonly context: ControllerContext;
  readonly requests: ControlRequests;
  readonly store: ZooKeeperStore;
  readonly writer: LeadershipWriter;
  readonly unclean: UncleanElection;
  readonly logger: Logger;
  readonly failpoints?: Failpoints | undefined;
  /** Told how many unclean leaders were elected. */
  readonly onUncleanElections?: ((count: number) => void) | undefined;
}

/** One change under way: where its requests and its failures go. */
interface Change {
  readonly target: PartitionState;
  readonly batch: RequestBatch;
  readonly failures: Map<string, string>;
}

/**
 * What happens when partitions change their state (Kafka: `ZkPartitionStateMachine`). A change of leadership is first
 * written to ZooKeeper, and only what was written is told to brokers: a controller that dies in between leaves the
 * znodes to its successor, who tells everybody again.
 */
export class PartitionStates {
  readonly #parts: PartitionStatesParts;

  constructor(parts: PartitionStatesParts) {
    this.#parts = parts;
  }

  /**
   * Puts all partitions into their first states after a change of controllers, then finds leaders for those that have
   * none.
   */
  async startUp(): Promise<void> {
    const { context } = this.#parts;
    const partitions = context.allPartitions();
    for (const partition of partitions) partition.state = stateAtStart(partition, context);
    await this.triggerOnline(partitions);
  }

  /** Tries to find leaders for those of the partitions that are new or offline and whose topic is not going away. */
  async triggerOnline(partitions: readonly ControlledPartition[]): Promise<StateChangeFailures> {
    const waiting = partitions.filter(
      ({ topic, state }) =>
        (state === 'NewPartition' || state === 'OfflinePartition') && !this.#parts.context.isQueuedForDeletion(topic),
    );
    return this.change(waiting, 'OnlinePartition');
  }

  /**
   * Changes the partitions' state as far as the table allows it, with everything that goes with it. Partitions that
   * fail are logged and reported; the others go on.
   * @throws ControllerMovedError, and what ends the session
   */
  async change(
    partitions: readonly ControlledPartition[],
    target: PartitionState,
    election: ElectionRequest = OFFLINE_ELECTION,
  ): Promise<StateChangeFailures> {
    if (partitions.length === 0) return new Map();
    const { requests } = this.#parts;
    const change: Change = { target, batch: requests.begin(), failures: new Map() };
    const valid = partitions.filter(partition => this.#isAllowed(change, partition));
    if (target === 'OnlinePartition') {
      const fresh = valid.filter(partition => partition.state === 'NewPartition');
      const known = valid.filter(partition => partition.state !== 'NewPartition');
      await this.#initialise(change, fresh);
      await this.#elect(change, known, election);
    } else {
      for (const partition of valid) partition.state = target;
    }
    await requests.flush();
    return change.failures;
  }

  #isAllowed(change: Change, partition: ControlledPartition): boolean {
    if (PARTITION_STATE_SOURCES[change.target].includes(partition.state)) return true;
    this.#fail(change, partition, `it is in state ${partition.state}`);
    return false;
  }

  #fail({ target, failures }: Change, { topic, partition, key }: ControlledPartition, reason: string): void {
    failures.set(key, reason);
    this.#parts.logger.warn({ topic, partition, target }, `partition ${key} cannot go to ${target}: ${reason}`);
  }

  /** Gives new partitions their first leader and ISR. */
  async #initialise(change: Change, partitions: readonly ControlledPartition[]): Promise<void> {
    const { store, controller, failpoints } = this.#parts;
    const entries = this.#initialStates(change, partitions);
    if (entries.length === 0) return;
    await failpoints?.hit('partition-creation.before-write');
    const { created, failed } = await store.partitions.createStates(entries, controller);
    await failpoints?.hit('partition-creation.after-write');
    for (const partition of partitions) {
      const error = failed.get(partition.key);
      if (error !== undefined) this.#fail(change, partition, error.message);
      const state = created.get(partition.key);
      if (state === undefined) continue;
      partition.leadership = state;
      partition.state = 'OnlinePartition';
      change.batch.addLeaderAndIsr(state.isr, partition, true);
    }
  }

  #initialStates(change: Change, partitions: readonly ControlledPartition[]): PartitionStateEntry[] {
    const { context, controller } = this.#parts;
    return partitions.flatMap(partition => {
      const online = partition.assignment.replicas.filter(broker => context.isReplicaOnline(broker, partition));
      const state = initialState(online, controller.epoch);
      if (state !== null) return [{ topic: partition.topic, partition: partition.partition, state }];
      this.#fail(change, partition, 'none of its replicas is online');
      return [];
    });
  }

  async #elect(change: Change, partitions: readonly ControlledPartition[], election: ElectionRequest): Promise<void> {
    const outcomes = new Map<ControlledPartition, ElectionOutcome>();
    const { written, failed } = await this.#parts.writer.write(
      partitions,
      async candidates => this.#decide(change, candidates, election, outcomes),
      { before: 'leader-election.before-write', after: 'leader-election.after-write' },
    );
    for (const [partition, error] of failed) this.#fail(change, partition, error.message);
    for (const partition of written) {
      partition.state = 'OnlinePartition';
      change.batch.addLeaderAndIsr(outcomes.get(partition)!.recipients, partition, false);
    }
    this.#reportUnclean(written.filter(partition => outcomes.get(partition)!.unclean));
  }

  async #decide(
    change: Change,
    partitions: readonly ControlledPartition[],
    election: ElectionRequest,
    outcomes: Map<ControlledPartition, ElectionOutcome>,
  ): Promise<LeadershipDecisions> {
    const decisions = new Map<ControlledPartition, LeaderAndIsr>();
    for (const [partition, candidate] of await this.#candidates(partitions, election)) {
      const outcome = electLeader(election.kind, candidate);
      if (outcome === null) {
        this.#fail(change, partition, `no replica can be elected (${election.kind} election)`);
        continue;
      }
      outcomes.set(partition, outcome);
      decisions.set(partition, stateAfterElection(candidate.current, outcome, this.#parts.controller.epoch));
    }
    return decisions;
  }

  /** Topics are asked whether they allow unclean leaders only where nothing else would help. */
  async #candidates(
    partitions: readonly ControlledPartition[],
    election: ElectionRequest,
  ): Promise<[ControlledPartition, ElectionCandidate][]> {
    const candidates = partitions.map((partition): [ControlledPartition, ElectionCandidate] => [
      partition,
      this.#candidate(partition, election.uncleanAllowed === true),
    ]);
    if (election.kind !== 'offline' || election.uncleanAllowed === true) return candidates;
    const stuck = candidates.filter(([, candidate]) => needsUncleanElection(candidate)).map(([{ topic }]) => topic);
    const allowed = await this.#parts.unclean.allowedTopics(stuck);
    return candidates.map(([partition, candidate]) => [
      partition,
      { ...candidate, uncleanAllowed: allowed.has(partition.topic) },
    ]);
  }

  #candidate(partition: ControlledPartition, uncleanAllowed: boolean): ElectionCandidate {
    const { context } = this.#parts;
    return {
      replicas: partition.assignment.replicas,
      current: partition.leadership!,
      isOnline: broker => context.isReplicaOnline(broker, partition),
      isOnlineOrShuttingDown: broker => context.isReplicaOnlineOrShuttingDown(broker, partition),
      isShuttingDown: broker => context.isShuttingDown(broker),
      uncleanAllowed,
    };
  }

  #reportUnclean(partitions: readonly ControlledPartition[]): void {
    if (partitions.length === 0) return;
    const { logger, onUncleanElections } = this.#parts;
    for (const { topic, partition, leadership } of partitions) {
      logger.warn(
        { topic, partition, leader: leadership!.leader },
        `broker ${leadership!.leader} leads ${topic}-${partition} without having been in sync: records may be lost`,
      );
    }
    onUncleanElections?.(partitions.length);
  }
}

function stateAtStart(partition: ControlledPartition, context: ControllerContext): PartitionState {
  if (partition.leadership === null) return 'NewPartition';
  return context.isReplicaOnline(partition.leadership.leader, partition) ? 'OnlinePartition' : 'OfflinePartition';
}
